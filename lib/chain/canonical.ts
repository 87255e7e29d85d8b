// One pass that answers both questions for almost every string: nothing to escape, nothing to refuse.
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these
const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/;
// With the u flag a class of surrogates matches only unpaired ones.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * The JSON Canonicalization Scheme (RFC 8785): object keys sorted by UTF-16 code units, numbers and strings
 * as ECMAScript's JSON.stringify writes them, no white space. Own enumerable properties only; a key named
 * `toJSON` is data.
 *
 * @throws TypeError for what JSON cannot say: undefined, functions, symbols, bigints, class instances.
 * @throws RangeError for numbers that are not finite and strings with lone surrogates.
 */
export function canonicalize(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      if (!Number.isFinite(value)) throw new RangeError(`${value} has no canonical form`);
      return value === 0 ? "0" : String(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value);
    default:
      throw new TypeError(`a ${typeof value} has no canonical form`);
  }
}

function quote(text: string): string {
  if (!NEEDS_CARE.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) {
    throw new RangeError("a string with a lone surrogate has no canonical form");
  }
  return JSON.stringify(text);
}

function canonicalArray(items: unknown[]): string {
  let out = "[";
  for (let at = 0; at < items.length; at += 1) {
    if (at > 0) out += ",";
    out += canonicalize(items[at]);
  }
  return `${out}]`;
}

function canonicalObject(object: object): string {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError("only plain objects have a canonical form");
  }
  const keys = Object.keys(object);
  if (!isSorted(keys)) keys.sort();
  let out = "{";
  for (const key of keys) {
    if (out.length > 1) out += ",";
    out += `${quote(key)}:${canonicalize((object as Record<string, unknown>)[key])}`;
  }
  return `${out}}`;
}

function isSorted(keys: string[]): boolean {
  for (let at = 1; at < keys.length; at += 1) {
    if ((keys[at - 1] as string) > (keys[at] as string)) return false;
  }
  return true;
}
