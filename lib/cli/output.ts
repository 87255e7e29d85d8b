/** Standard output carries results only; progress and problems go to standard error. */

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
