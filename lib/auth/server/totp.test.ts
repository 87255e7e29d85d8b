import { expect, test } from "vitest";
import { codeOf, stepAt, stepOf, toBase32 } from "./totp";

const key = Buffer.from("12345678901234567890");

// The RFC prints eight digits; an app shows the last six of them.
test.each([
  [59, "94287082"],
  [1_111_111_109, "07081804"],
  [1_111_111_111, "14050471"],
  [1_234_567_890, "89005924"],
  [2_000_000_000, "69279037"],
  [20_000_000_000, "65353130"],
])("RFC 6238, appendix B, SHA-1: at %i s the code is %s", (seconds, code) => {
  expect(codeOf(key, stepAt(seconds * 1_000))).toBe(code.slice(-6));
});

test.each([
  ["755224", 0],
  ["520489", 9],
])("RFC 4226, appendix D: %s at counter %i", (code, counter) => {
  expect(codeOf(key, counter)).toBe(code);
});

test("a code is right in its own step, the one before and the one after, and in no other", () => {
  const now = 1_111_111_111_000;
  const present = stepAt(now);
  const accepted = [-2, -1, 0, 1, 2].map((drift) =>
    stepOf(key, codeOf(key, present + drift), 0, now),
  );
  expect(accepted).toEqual([null, present - 1, present, present + 1, null]);
});

test("neither a used code nor an earlier one is right again", () => {
  const now = 1_111_111_111_000;
  const present = stepAt(now);
  expect(stepOf(key, codeOf(key, present), present, now)).toBeNull();
  expect(stepOf(key, codeOf(key, present - 1), present, now)).toBeNull();
  expect(stepOf(key, codeOf(key, present + 1), present, now)).toBe(present + 1);
});

test.each(["", "12345", "1234567", "abcdef", " 94287", "９４２８７０"])("%j is no code", (code) => {
  expect(stepOf(key, code, 0, 59_000)).toBeNull();
});

test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("RFC 4648: %j in base32 is %s", (text, encoded) => {
  expect(toBase32(Buffer.from(text))).toBe(encoded);
});
