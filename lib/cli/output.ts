/** Standard output carries results only; progress and problems go to standard error. */

/** For objects of ours: camelCase keys become snake_case; others, such as header names, stay. */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      /^[a-z]+([A-Z][a-z0-9]*)+$/.test(key)
        ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
        : key,
      snakeCase(member),
    ]),
  );
}

export function print(json: boolean | undefined, value: unknown, words: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : words}\n`);
}

export function printTable(rows: Record<string, string>[]): void {
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0) {
    process.stdout.write("none\n");
    return;
  }
  const table = [names, ...rows.map((row) => names.map((name) => row[name] ?? ""))];
  const widths = names.map((_, column) =>
    Math.max(...table.map((line) => (line[column] as string).length)),
  );
  for (const line of table) {
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd()}\n`,
    );
  }
}
