import { expect, test } from "vitest";
import { formatOf } from "./recognise";

test.each([
  ["id,action\n1,a\n", "csv"],
  ['"id";"action"\n', "csv"],
  ["", "csv"],
  ['{"action":"a"}\n{"action":"b"}\n', "ndjson"],
  ['\uFEFF \n{"Records": [{"eventID": "1"}]}', "cloudtrail"],
  ['{\n  "Records" : [', "cloudtrail"],
  ['{"action":"a","metadata":{"Records":[]}}', "ndjson"],
] as const)("a file that begins %j is taken for %s", (start, format) => {
  expect(formatOf(start)).toBe(format);
});
