/**
 * Splits a migration into its statements: Citus refuses several in one query string. Knows strings,
 * quoted identifiers, dollar quotes and comments; a semicolon inside any of them does not split.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let at = 0;
  const skipTo = (end: string) => {
    const found = sql.indexOf(end, at);
    if (found < 0) throw new Error(`Unterminated ${end} in a migration`);
    at = found + end.length;
  };
  while (at < sql.length) {
    const rest = sql.slice(at, at + 2);
    const dollar = sql[at] === "$" ? /^\$([A-Za-z_]\w*)?\$/.exec(sql.slice(at, at + 64)) : null;
    if (rest === "--") {
      const newline = sql.indexOf("\n", at);
      at = newline < 0 ? sql.length : newline + 1;
    } else if (rest === "/*") {
      at += 2;
      skipTo("*/");
    } else if (sql[at] === "'" || sql[at] === '"') {
      const quote = sql[at] as string;
      at += 1;
      skipTo(quote);
    } else if (dollar) {
      at += dollar[0].length;
      skipTo(dollar[0]);
    } else if (sql[at] === ";") {
      statements.push(sql.slice(start, at));
      at += 1;
      start = at;
    } else {
      at += 1;
    }
  }
  statements.push(sql.slice(start));
  const isCode = (text: string) => text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, "").trim() !== "";
  return statements.map((text) => text.trim()).filter(isCode);
}
