import fc from "fast-check";
import { CanonicalWriter, REFUSED } from "./canonical-writer";

// Values that a unit of an event may hold, for tests of the writer that reads them as PostgreSQL writes them.

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom('"', "\\", "\b\f\n\r\t", "\u0001\u001f\u007f\u0080", "\u2028", "é", "😀", "</x>"),
);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 5 }) },
  { weight: 4, arbitrary: fc.constantFrom("1", "10", "2", "a", "B", "aa", " ", "!", "toJSON", "") },
  { weight: 1, arbitrary: fc.constantFrom("é", "\ufb33", "😀", 'a"', "\\", "\n", "__proto__") },
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(1e21, 1e20, 123456789012345680000, 1e-6, 1e-7, 0.1, -0, 1.5e300, 5e-324),
);

/** Members of an object come in any order. */
export const units: fc.Arbitrary<object> = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "value" },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie("value"), { maxLength: 3, depthIdentifier: "value" }),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(key, tie("value")), { maxLength: 6, depthIdentifier: "value" })
    .map((members) => Object.fromEntries(members)),
})).object;

/** U+0000 and lone surrogates, which jsonb does not hold. */
export const isHeld = (value: unknown): boolean =>
  !/\\u0000|\\ud[89a-f]/.test(JSON.stringify(value));

/** What the writer makes of a jsonb's text; null when it refuses. */
export function written(jsonb: string): string | null {
  const writer = new CanonicalWriter();
  const source = Buffer.from(`before ${jsonb}`);
  try {
    writer.begin(Buffer.from("message "));
    const end = writer.addObject(source, 7, source.length);
    if (end !== source.length) throw new Error(`${source.length - end} bytes were left`);
  } catch (error) {
    if (error === REFUSED) return null;
    throw error;
  }
  return writer.message.toString().slice(8);
}
