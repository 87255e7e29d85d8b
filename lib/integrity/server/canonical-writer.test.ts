import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalize } from "@/lib/chain/canonical";
import { sha256Hex } from "@/lib/chain/sha256";
import { CanonicalWriter, REFUSED } from "./canonical-writer";
import { isHeld, units, written } from "./test-jsonb";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
console.info(`canonical writer properties: TEST_SEED=${seed}`);

const ofObject = (text: string) => canonicalize(JSON.parse(text));

/** A number as numeric writes it: without an exponent. */
function plainNumber(value: number): string {
  const [, sign, first, rest = "", exponent] =
    /^(-?)(\d)(?:\.(\d+))?e(.+)$/.exec(value.toExponential()) ?? [];
  const places = Number(exponent);
  const digits = `${first}${rest}`;
  if (places < 0) return `${sign}0.${"0".repeat(-places - 1)}${digits}`;
  const whole = digits.slice(0, places + 1).padEnd(places + 1, "0");
  const fraction = digits.slice(places + 1);
  return `${sign}${whole}${fraction && `.${fraction}`}`;
}

/** As PostgreSQL writes jsonb: members by the length of their keys, then by their bytes. */
function jsonb(value: unknown): string {
  if (typeof value === "number") return plainNumber(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonb).join(", ")}]`;
  const members = Object.entries(value)
    .map(([key, member]) => ({
      key: Buffer.from(key),
      text: `${JSON.stringify(key)}: ${jsonb(member)}`,
    }))
    .sort((one, two) => one.key.length - two.key.length || one.key.compare(two.key));
  return `{${members.map(({ text }) => text).join(", ")}}`;
}

test("what is written is the canonical form, or it is refused", () => {
  let refused = 0;
  const runs = 3_000;
  fc.assert(
    fc.property(units.filter(isHeld), (value) => {
      const found = written(jsonb(value));
      if (found === null) refused += 1;
      else expect(found).toBe(canonicalize(value));
    }),
    { seed, numRuns: runs },
  );
  // Most documents have plain keys; a writer that refuses them all would be of no use.
  expect(refused).toBeLessThan(runs / 2);
});

test.each([
  ["{}", "nothing"],
  ['{"a": {}, "b": [], "c": [{}, [], null, true, false]}', "empty values"],
  ['{"z": 1, "aa": 2, "ab": 3, "aaa": 4}', "keys by length, which come by their characters"],
  ['{"2": 0, "10": 0, "1": 0}', "keys that look like indexes"],
  [
    '{"a": 0, "b": 7, "c": -7, "d": 999999999999999, "e": 9007199254740993, "f": 12345678901234567890}',
    "whole numbers, also beyond what doubles hold",
  ],
  ['{"": 1, " ": 2, "!": 3, "a": 4, "a!": 5, "a ": 6}', "keys before the quote, and the empty one"],
  ['{"b": {"b": {"y": 1, "aa": [{"d": 1, "cc": 2}]}, "aa": 3}, "aa": 4}', "objects in objects"],
  ['{"a": 1.0, "b": 0.10, "c": 1000000000000000000000, "d": 0.0000001}', "numbers respelled"],
  ['{"a": 9007199254740993, "b": 123456789012345678901234567890, "c": -0.0}', "beyond doubles"],
  ['{"a": "é😀\\u001f\\"\\\\\\n/ü", "b": "\u2028\u007f"}', "characters and escapes"],
  ['{"toJSON": 1, "__proto__": {"x": 2}}', "names that mean something elsewhere"],
])("written without parsing: %s (%s)", (text) => {
  expect(written(text)).toBe(ofObject(text));
});

test.each([
  ['{"é": 1}', "a key whose order is not that of its bytes"],
  ['{"a\\"": 1}', "a key with an escape"],
  [`{"a": 1${"0".repeat(400)}}`, "a number that is no double"],
  [`${'{"a": '.repeat(20)}1${"}".repeat(20)}`, "very deep"],
  [`{${Array.from({ length: 65 }, (_, at) => `"${at + 10}": 1`).join(", ")}}`, "very many members"],
  ['{"a": 1, "a": 2}', "a key twice"],
  ['{"b": 1, "a": 2, "b": 2}', "a key twice, not in a row"],
  ['{"a":1}', "not as jsonb is written"],
  ['{"a": 0x10}', "a number that jsonb does not write"],
  ['{"a": 1e2}', "a number with an exponent"],
  ['{"a": }', "no value"],
  ['{"a": "b}', "a text without end"],
  ['{"a": "b\\', "an escape without end"],
  ['{"a": 1', "an object without end"],
  ["null", "no object"],
  ["[]", "a list"],
])("refused: %s (%s)", (text) => {
  expect(written(text)).toBeNull();
});

test("an object ends where the next begins, and texts of its members are told", () => {
  const source = Buffer.from('[{"id": "é1", "name": "n\\n", "type": "user"}, {"id": 2}]');
  const writer = new CanonicalWriter();
  const text = (name: string) => {
    const range = writer.text(name);
    return range && writer.bytes.toString("utf8", ...range);
  };
  writer.begin(Buffer.from("unit\n"));
  writer.addBytes(Buffer.from("..salt.."), 2, 6);
  const end = writer.addObject(source, 1, source.length);
  expect(source.toString("utf8", end)).toBe(', {"id": 2}]');
  expect(writer.hash()).toBe(sha256Hex('unit\nsalt{"id":"é1","name":"n\\n","type":"user"}'));
  expect([text("id"), text("type"), text("nam"), text("location")]).toEqual([
    "é1",
    "user",
    null,
    null,
  ]);
  expect(() => text("name")).toThrow(REFUSED);
  writer.begin(Buffer.alloc(0));
  writer.addObject(source, end + 2, source.length);
  expect([text("id"), text("type")]).toEqual([null, null]);
});

test("documents larger than the writer's memory are written", () => {
  const value = { text: "x".repeat(20_000), list: Array.from({ length: 3_000 }, (_, at) => at) };
  expect(written(jsonb(value))).toBe(canonicalize(value));
});
