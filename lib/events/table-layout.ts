import type { FieldRef } from "./filter/ast";
import { parseFilter } from "./filter/parse";
import { serializeField } from "./filter/serialize";

/** How an events table looks: which columns, in order, how wide, and how tall its rows are. JSON. */
export interface TableLayout {
  /** Layouts of another version are not understood and fall back to the default. */
  version: 1;
  columns: ColumnChoice[];
  density: Density;
}

interface ColumnChoice {
  /** One of COLUMN_IDS, or a field as a filter names it: `agent`, `metadata.request_id`. */
  id: string;
  /** Unset: shares the room that is left. */
  widthPx?: number;
}

export const ROW_HEIGHTS_PX = { compact: 28, regular: 36, relaxed: 44 } as const;
export type Density = keyof typeof ROW_HEIGHTS_PX;

/** Columns that every list row has at hand. */
export const COLUMN_IDS = ["seq", "time", "actor", "action", "target", "ip", "received"] as const;
export type ColumnId = (typeof COLUMN_IDS)[number];

const MIN_COLUMN_PX = 64;
const MAX_COLUMN_PX = 1_200;
export const MAX_COLUMNS = 24;

export const DEFAULT_LAYOUT: TableLayout = {
  version: 1,
  columns: ["seq", "time", "actor", "action", "target", "ip"].map((id) => ({ id })),
  density: "compact",
};

export function isColumnId(id: string): id is ColumnId {
  return (COLUMN_IDS as readonly string[]).includes(id);
}

/** The field behind a column that is not one of COLUMN_IDS; null when there is no such field. */
export function columnField(id: string): FieldRef | null {
  const parsed = parseFilter(`has:${id}`);
  const [clause, ...others] = parsed.ok ? parsed.filter.clauses : [];
  return clause?.condition.kind === "has" && others.length === 0 ? clause.condition.field : null;
}

export function columnIdOf(field: FieldRef): string {
  return serializeField(field);
}

/** Whatever was stored, as a layout: what is not understood is left out, the time column is always there. */
export function parseLayout(value: unknown): TableLayout {
  const { version, columns, density } = (value ?? {}) as Partial<TableLayout>;
  if (version !== 1 || !Array.isArray(columns)) return DEFAULT_LAYOUT;
  const known = new Map<string, ColumnChoice>();
  for (const column of columns.slice(0, MAX_COLUMNS)) {
    const { id, widthPx } = (column ?? {}) as Partial<ColumnChoice>;
    if (typeof id !== "string" || known.has(id)) continue;
    if (isColumnId(id) || columnField(id))
      known.set(id, typeof widthPx === "number" ? { id, widthPx: clampWidth(widthPx) } : { id });
  }
  if (!known.has("time")) return DEFAULT_LAYOUT;
  return {
    version: 1,
    columns: [...known.values()],
    density: density && Object.hasOwn(ROW_HEIGHTS_PX, density) ? density : "compact",
  };
}

function clampWidth(widthPx: number): number {
  return Math.round(Math.min(Math.max(widthPx, MIN_COLUMN_PX), MAX_COLUMN_PX)) || MIN_COLUMN_PX;
}

/** Adds the column at the end, or leaves the layout as it is when it is there or there is no room. */
export function addColumn(layout: TableLayout, id: string): TableLayout {
  if (layout.columns.some((column) => column.id === id)) return layout;
  if (layout.columns.length >= MAX_COLUMNS) return layout;
  return { ...layout, columns: [...layout.columns, { id }] };
}

/** The time column stays: the list is ordered by it. */
export function removeColumn(layout: TableLayout, id: string): TableLayout {
  if (id === "time") return layout;
  return { ...layout, columns: layout.columns.filter((column) => column.id !== id) };
}

/** Moves a column by so many places, within the ends. */
export function moveColumn(layout: TableLayout, id: string, by: number): TableLayout {
  const from = layout.columns.findIndex((column) => column.id === id);
  const moved = layout.columns[from];
  if (!moved) return layout;
  const rest = layout.columns.filter((column) => column.id !== id);
  const to = Math.min(Math.max(from + by, 0), rest.length);
  return { ...layout, columns: rest.toSpliced(to, 0, moved) };
}

/** @param widthPx null shares the room that is left again */
export function resizeColumn(layout: TableLayout, id: string, widthPx: number | null): TableLayout {
  return {
    ...layout,
    columns: layout.columns.map((column) =>
      column.id !== id ? column : widthPx === null ? { id } : { id, widthPx: clampWidth(widthPx) },
    ),
  };
}
