import pg from "pg";
import { AppError } from "@/lib/errors";
import { Prisma } from "@/lib/generated/prisma/client";
import { getField } from "../fields";
import { type ColumnId, columnField, isColumnId } from "../table-layout";
import { copySql } from "./copy-sql";
import { fieldText } from "./where";

/** What files of events have in their lines: SQL over one row of `events e`. */

const iso = (column: string) =>
  `to_char(e.${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const ERASED = `'{"id": "erased", "type": "erased"}'::jsonb`;

const TARGETS = `CASE WHEN e.targets @> '[null]' THEN (
  SELECT jsonb_agg(CASE WHEN t.value = 'null' THEN ${ERASED} ELSE t.value END ORDER BY t.position)
  FROM jsonb_array_elements(e.targets) WITH ORDINALITY AS t(value, position)) ELSE e.targets END`;

/** What a spreadsheet takes for the start of a formula, or skips before one. */
const FORMULA_STARTS = [..."=+-@\t\r"].map((character) => character.charCodeAt(0)).join(", ");

interface Cell {
  name: string;
  sql: string;
  text?: true;
}

/**
 * Columns in order (contract §8). `text` cells are a client's words and may look like formulas; JSON cells
 * are objects and arrays, so they cannot.
 */
const COLUMNS: Cell[] = [
  { name: "id", sql: "e.id" },
  { name: "organization_id", sql: "e.organization_id" },
  { name: "action", sql: "e.action", text: true },
  { name: "version", sql: "e.version" },
  { name: "occurred_at", sql: iso("occurred_at") },
  { name: "recorded_at", sql: iso("recorded_at") },
  { name: "actor_type", sql: "coalesce(e.actor_type, 'erased')", text: true },
  { name: "actor_id", sql: "coalesce(e.actor_id, 'erased')", text: true },
  { name: "actor_name", sql: "e.actor_name", text: true },
  { name: "actor_metadata", sql: "(e.actor -> 'metadata')::text" },
  { name: "targets", sql: `(${TARGETS})::text` },
  { name: "location", sql: "e.location", text: true },
  { name: "user_agent", sql: "(e.context ->> 'user_agent')", text: true },
  { name: "context", sql: "e.context::text" },
  { name: "metadata", sql: "e.metadata::text" },
  { name: "seq", sql: "e.seq" },
  { name: "chain_hash", sql: "encode(e.chain_hash, 'hex')" },
];

/** The header of a CSV of all fields, and the columns whose cells a spreadsheet is guarded from. */
export const CSV_COLUMNS = COLUMNS.map(({ name }) => name);
export const CSV_GUARDED_COLUMNS = COLUMNS.filter(({ text }) => text).map(({ name }) => name);

/** Columns that a table of events can show; an actor is two cells, since names are not unique. */
const SHOWN: Record<ColumnId, readonly string[]> = {
  seq: ["seq"],
  time: ["occurred_at"],
  received: ["recorded_at"],
  action: ["action"],
  actor: ["actor_name", "actor_id"],
  target: ["targets"],
  ip: ["location"],
};

/** What one line of a file holds. */
export interface FileLines {
  format: "csv" | "ndjson";
  /** Ids of a table's columns (table-layout.ts); null: all fields. */
  columns?: readonly string[] | null | undefined;
  /** true: cells that a spreadsheet would take for formulas stay as they are. */
  raw?: boolean | undefined;
  /** Where columns are chosen: `seq` and `chain_hash` come last, whatever was chosen. */
  proof?: boolean | undefined;
}

/** The chosen cells, each once. @throws AppError for a column that this version does not know */
function chosen({ columns, proof }: FileLines): Cell[] {
  if (!columns) return COLUMNS;
  const cells = new Map<string, Cell>();
  for (const id of columns) {
    for (const cell of isColumnId(id) ? SHOWN[id].map(byName) : [ofField(id)])
      cells.set(cell.name, cell);
  }
  for (const name of proof ? ["seq", "chain_hash"] : []) {
    cells.delete(name);
    cells.set(name, byName(name));
  }
  return [...cells.values()];
}

const byName = (name: string) => COLUMNS.find((cell) => cell.name === name) as Cell;

function ofField(id: string): Cell {
  const field = columnField(id);
  if (!field) throw new AppError("invalid_request", `There is no column “${id}”.`);
  const text = fieldText(field);
  // Several targets have several values.
  const sql =
    getField(field.id).source.from === "targets"
      ? Prisma.sql`(SELECT string_agg(${text}, ', ' ORDER BY t.position) FROM jsonb_array_elements(e.targets) WITH ORDINALITY AS t(value, position))`
      : text;
  return { name: id, sql: copySql(sql), text: true };
}

/** Names of the columns, in order; null where lines are JSON. */
export const fileHeader = (lines: FileLines): string[] | null =>
  lines.format === "ndjson" ? null : chosen(lines).map(({ name }) => name);

export function fileColumns(lines: FileLines): Prisma.Sql {
  if (lines.format === "ndjson") return Prisma.raw(`${JSON_LINE} AS line`);
  const cells = chosen(lines).map(({ name, sql, text }) => {
    const cell = text && !lines.raw ? neutralised(sql) : sql;
    return `${cell} AS ${pg.escapeIdentifier(name)}`;
  });
  return Prisma.raw(cells.join(", "));
}

/** One event as JSON, its place in the log behind its own members. */
const JSON_LINE = `'{"id":"' || e.id || '","organization_id":"' || e.organization_id || '","action":' || to_json(e.action)::text
  || ',"version":' || e.version || ',"occurred_at":"' || ${iso("occurred_at")}
  || '","actor":' || coalesce(e.actor, ${ERASED})::text || ',"targets":' || (${TARGETS})::text
  || coalesce(',"context":' || e.context::text, '') || coalesce(',"metadata":' || e.metadata::text, '')
  || ',"recorded_at":"' || ${iso("recorded_at")} || '","seq":' || e.seq
  || ',"chain_hash":"' || encode(e.chain_hash, 'hex') || '"}'`;

/** Lines of JSON have no raw control characters (RFC 8259 §7): with these as quote and delimiter nothing is escaped. */
const UNESCAPED = `FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'UTF8'`;

export const copyOptions = ({ format }: FileLines, hasHeader: boolean): string =>
  format === "ndjson" ? UNESCAPED : `FORMAT csv, HEADER ${hasHeader}, ENCODING 'UTF8'`;

/** A leading apostrophe makes a spreadsheet show the cell instead of computing it. */
function neutralised(sql: string): string {
  return `CASE WHEN ascii(${sql}) IN (${FORMULA_STARTS}) THEN '''' || ${sql} ELSE ${sql} END`;
}
