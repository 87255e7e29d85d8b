import { CSV_COLUMNS, CSV_GUARDED_COLUMNS } from "@/lib/events/server/file-columns";
import type { Cell, CsvFile } from "./read-csv";

/** The CSV that Trailseal itself makes (`lib/events/server/file-columns.ts`), back into events. */

const FORMULA_START = /^[=+\-@\t\r]/;
const GUARDED = /^'[=+\-@\t\r]/;

export const isExportedCsv = (header: readonly string[]) =>
  header.length === CSV_COLUMNS.length && CSV_COLUMNS.every((name) => header.includes(name));

/**
 * Whether cells were given an apostrophe against formulas. A file with a bare formula was made without the
 * guard: then an apostrophe before another one is the client's own.
 * @returns the line of the first guarded cell; null when the file can be taken as it stands.
 */
export async function findGuard({ header, rows }: CsvFile): Promise<number | null> {
  const guarded = CSV_GUARDED_COLUMNS.map((name) => header.indexOf(name));
  let first: number | null = null;
  for await (const { number, cells, problem } of rows) {
    if (problem) continue;
    const texts = guarded.map((column) => cells[column] ?? "");
    if (texts.some((text) => FORMULA_START.test(text))) return null;
    if (first === null && texts.some((text) => GUARDED.test(text))) first = number;
  }
  return first;
}

/**
 * @param isGuarded the file's guard is to be taken off
 * @returns the event as the API gives it, with the id it had.
 * @throws Error naming the column that cannot be read.
 */
export function fromExportedRow(
  header: readonly string[],
  cells: readonly Cell[],
  isGuarded: boolean,
): Record<string, unknown> {
  const cell = (name: string) => {
    const text = cells[header.indexOf(name)] ?? null;
    return isGuarded && text !== null && CSV_GUARDED_COLUMNS.includes(name) && GUARDED.test(text)
      ? text.slice(1)
      : text;
  };
  const json = (name: string) => {
    const text = cell(name);
    if (text === null) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new Error(`column ${name} is not valid JSON: ${(error as Error).message}`);
    }
  };
  const actor = {
    type: cell("actor_type") ?? undefined,
    id: cell("actor_id") ?? undefined,
    name: cell("actor_name"),
    metadata: json("actor_metadata"),
  };
  return {
    id: cell("id"),
    action: cell("action") ?? undefined,
    version: Number(cell("version") ?? Number.NaN),
    occurred_at: cell("occurred_at") ?? undefined,
    actor,
    targets: json("targets"),
    context: json("context"),
    metadata: json("metadata"),
  };
}
