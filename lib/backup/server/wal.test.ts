import { expect, test } from "vitest";
import { walSegments } from "./wal";

const SEGMENT = 16_777_216;

test.each([
  // Within one file.
  ["0/2000028", "0/2000120", ["000000010000000000000002"]],
  // What ends with a file needs none after it.
  ["0/2000028", "0/3000000", ["000000010000000000000002"]],
  ["0/2000028", "0/3000001", ["000000010000000000000002", "000000010000000000000003"]],
  // The number carries over after 256 files of 16 MB.
  ["0/FF000028", "1/1000000", ["0000000100000000000000FF", "000000010000000100000000"]],
])("the WAL from %s to %s is in %j", (start, stop, names) => {
  expect(walSegments(start, stop, SEGMENT, "00000001")).toEqual(names);
});

test("files of another size have other numbers", () => {
  expect(walSegments("1/C0000000", "2/00000000", 1_073_741_824, "0000000A")).toEqual([
    "0000000A0000000100000003",
  ]);
});
