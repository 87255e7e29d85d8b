import { once } from "node:events";
import { addAbortSignal, finished, type Readable } from "node:stream";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { Scope } from "@/lib/auth/scope";
import { translated } from "@/lib/db/explain";
import { longPool, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { Prisma } from "@/lib/generated/prisma/client";
import { currentRequest } from "@/lib/http/request-context";
import type { EventFilter } from "../filter/ast";
import { copySql } from "./copy-sql";
import type { Position } from "./cursor";
import { readBoundary } from "./list";
import { candidates, choosePlan, inOrder, type Plan, type Walk } from "./plan";
import { whereClause } from "./where";

/** Each download holds a connection for as long as its client reads. */
const MAX_DOWNLOADS = 4;
let downloads = 0;

export interface CsvRequest {
  filter: EventFilter;
  /** ISO 8601; `from` included, `to` not. */
  from?: string | null;
  to?: string | null;
  /** true: cells that a spreadsheet would take for formulas stay as they are. */
  raw?: boolean;
}

/**
 * Every event that the filter matches, newest first, as RFC 4180 text in UTF-8 with a header row. Holds no
 * more than a buffer in memory; an error part-way destroys the stream, and destroying the stream cancels
 * the statement.
 * @throws AppError before the first byte
 */
export async function streamCsv(scope: Scope, request: CsvRequest): Promise<Readable> {
  const leave = enter();
  try {
    const range = rangeOf(scope, request);
    const plan = await choosePlan(range, request.filter);
    const walk: Walk = { ...range, direction: "older", position: null };
    const sql = csvStatement(plan, walk, { raw: request.raw, header: true });
    return await translated(() => startCopy(sql, leave));
  } catch (error) {
    leave();
    throw error;
  }
}

/** Candidates that one piece looks at. */
const PIECE = 20_000;

/**
 * The same file in pieces, each a bounded statement of its own: for a reader that takes long, as no snapshot
 * stays open between them. Each has to be read to its end or destroyed. Of events that are stored meanwhile
 * some may be missing; of those stored before, none.
 */
export async function* csvPieces(
  scope: Scope,
  request: CsvRequest,
  size = PIECE,
): AsyncGenerator<Readable> {
  const range = rangeOf(scope, request);
  const plan = await choosePlan(range, request.filter);
  const walk: Walk = { ...range, direction: "older", position: null };
  const boundary = (): Promise<Position | null> =>
    plan.isSmall || plan.driver.kind === "few"
      ? Promise.resolve(null)
      : readBoundary(plan.driver, walk, size);
  do {
    walk.until = await boundary();
    const header = walk.position === null;
    yield await startCopy(csvStatement(plan, walk, { raw: request.raw, header }), () => undefined);
    walk.position = walk.until;
  } while (walk.position);
}

const rangeOf = ({ organizationId }: Scope, { from = null, to = null }: CsvRequest) => ({
  organizationId,
  from,
  to,
});

/** Takes one of the places for downloads; the function gives it back, once. */
function enter(): () => void {
  if (downloads >= MAX_DOWNLOADS)
    throw new AppError("unavailable", "Too many downloads are running. Try again in a moment.", {
      retryAfterS: 10,
    });
  downloads += 1;
  let isInside = true;
  return () => {
    if (isInside) downloads -= 1;
    isInside = false;
  };
}

/** Resolves at the first bytes, so that a statement that fails at once fails before any answer. */
async function startCopy(sql: string, leave: () => void): Promise<Readable> {
  const client = await longPool().connect();
  const stream = client.query(copyTo(sql));
  finished(stream, (error) => {
    leave();
    if (!error) return client.release();
    // The copy stream emits its error without destroying itself, and would go on giving out its buffer.
    stream.destroy(error);
    void discard(client);
  });
  const signal = currentRequest()?.signal;
  if (signal) addAbortSignal(signal, stream);
  await once(stream, "readable");
  return stream;
}

/** Stops the statement, which may not be writing just now and so would not notice a closed connection. */
async function discard(client: pg.PoolClient): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  try {
    // Not pool.query: that refuses once the request's own signal is aborted.
    const other = await readPool().connect();
    try {
      await other.query("SELECT pg_cancel_backend($1)", [processID]);
    } finally {
      other.release();
    }
  } catch {
    // The closed connection ends it at its next write.
  } finally {
    client.release(true);
  }
}

function csvStatement(
  { driver, rest }: Plan,
  walk: Walk,
  { raw = false, header }: { raw?: boolean | undefined; header: boolean },
): string {
  const conditions = rest.clauses.map(whereClause);
  const where = conditions.length > 0 ? Prisma.join(conditions, " AND ") : Prisma.sql`true`;
  const rows = Prisma.sql`SELECT ${csvColumns(raw)} FROM (${candidates(driver, walk, null)}) e WHERE ${where} ${inOrder("e", walk)}`;
  return `COPY (${copySql(rows)}) TO STDOUT (FORMAT csv, HEADER ${header}, ENCODING 'UTF8')`;
}

const iso = (column: string) =>
  `to_char(e.${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const ERASED = `'{"id": "erased", "type": "erased"}'::jsonb`;

const TARGETS = `CASE WHEN e.targets @> '[null]' THEN (
  SELECT jsonb_agg(CASE WHEN t.value = 'null' THEN ${ERASED} ELSE t.value END ORDER BY t.position)
  FROM jsonb_array_elements(e.targets) WITH ORDINALITY AS t(value, position)) ELSE e.targets END`;

/** What a spreadsheet takes for the start of a formula, or skips before one. */
const FORMULA_STARTS = [..."=+-@\t\r"].map((character) => character.charCodeAt(0)).join(", ");

/**
 * Columns in order (contract §8). `text` cells are a client's words and may look like formulas; JSON cells
 * are objects and arrays, so they cannot.
 */
const COLUMNS: { name: string; sql: string; text?: true }[] = [
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

function csvColumns(raw: boolean): Prisma.Sql {
  const cells = COLUMNS.map(({ name, sql, text }) => {
    const cell = text && !raw ? neutralised(sql) : sql;
    return `${cell} AS ${name}`;
  });
  return Prisma.raw(cells.join(", "));
}

/** A leading apostrophe makes a spreadsheet show the cell instead of computing it. */
function neutralised(sql: string): string {
  return `CASE WHEN ascii(${sql}) IN (${FORMULA_STARTS}) THEN '''' || ${sql} ELSE ${sql} END`;
}
