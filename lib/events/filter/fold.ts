/**
 * Case-insensitive matching, defined once for SQL and memory. A needle of ASCII only folds A–Z only, which
 * the database does fast under the "C" collation; any other needle folds by Unicode's root lower-casing.
 */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the definition of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

export function fold(text: string, needle: string): string {
  return isAscii(needle)
    ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    : text.toLowerCase();
}
