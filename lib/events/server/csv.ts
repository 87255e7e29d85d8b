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
import { copyOptions, type FileLines, fileColumns } from "./file-columns";
import { readBoundary } from "./list";
import { candidates, choosePlan, inOrder, type Plan, rangeOf, type Walk } from "./plan";
import { whereClause } from "./where";

/** Each download holds a connection for as long as its client reads. */
const MAX_DOWNLOADS = 4;
let downloads = 0;

export interface FileRequest extends FileLines {
  filter: EventFilter;
  /** ISO 8601; `from` included, `to` not. */
  from?: string | null;
  to?: string | null;
  /** Only events with these sequence numbers, `end` exclusive. */
  sequence?: { first: number; end: number };
}

/**
 * Every event that the filter matches, newest first, as RFC 4180 text in UTF-8 with a header row. Holds no
 * more than a buffer in memory; an error part-way destroys the stream, and destroying the stream cancels
 * the statement.
 * @throws AppError before the first byte
 */
export async function streamCsv(
  scope: Scope,
  request: Omit<FileRequest, "format">,
): Promise<Readable> {
  const leave = enter();
  try {
    const range = rangeOf(scope, request);
    const plan = await choosePlan(range, request.filter);
    const walk: Walk = { ...range, direction: "older", position: null };
    const sql = statement(plan, walk, { ...request, format: "csv" }, true);
    return await translated(() => startCopy(sql, leave));
  } catch (error) {
    leave();
    throw error;
  }
}

/** Candidates that one piece looks at. */
const PIECE = 5_000;
/** Of a piece that is read ahead, what is held in memory: most pieces whole. */
const AHEAD_BYTES = 4_194_304;

/** A part of a file, and where the next one begins; null: it is the last. */
export interface FilePiece {
  lines: Readable;
  next: Position | null;
}

/**
 * A file of events in pieces, each a bounded statement of its own: for a reader that takes long, as no snapshot
 * stays open between them. Each has to be read to its end or destroyed. Pieces may end elsewhere in another run;
 * of one `sequence` all of them together are the same bytes, unless events are erased or pruned meanwhile.
 * The header row is the caller's (fileHeader).
 * @param start where the piece before ended; null: at the beginning
 */
export async function* filePieces(
  scope: Scope,
  request: FileRequest,
  { start = null, size = PIECE }: { start?: Position | null; size?: number | undefined } = {},
): AsyncGenerator<FilePiece> {
  const range = rangeOf(scope, request);
  const plan = await choosePlan(range, request.filter);
  const boundary = async (position: Position | null): Promise<Position | null> =>
    plan.isSmall || plan.driver.kind === "few"
      ? null
      : readBoundary(plan.driver, { ...range, direction: "older", position }, size);
  const open = async (position: Position | null): Promise<FilePiece> => {
    const next = await boundary(position);
    const walk: Walk = { ...range, direction: "older", position, until: next };
    const sql = statement(plan, walk, request, false);
    return { lines: await startCopy(sql, () => undefined, AHEAD_BYTES), next };
  };
  let piece = await open(start);
  for (;;) {
    const { next } = piece;
    // A second process of the database makes the next piece while this one is read.
    const ahead = next && open(next).catch(() => null);
    let isRead = false;
    try {
      yield piece;
      isRead = true;
    } finally {
      if (!isRead) void ahead?.then((unread) => unread?.lines.destroy());
    }
    if (!next) return;
    // A second connection may be too long in coming.
    piece = (await ahead) ?? (await open(next));
  }
}

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
async function startCopy(
  sql: string,
  leave: () => void,
  highWaterMark?: number,
): Promise<Readable> {
  const client = await longPool().connect();
  const stream = client.query(copyTo(sql, highWaterMark ? { highWaterMark } : {}));
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

function statement(
  { driver, rest }: Plan,
  walk: Walk,
  request: FileRequest,
  hasHeader: boolean,
): string {
  const conditions = rest.clauses.map(whereClause);
  const { sequence } = request;
  if (sequence) conditions.push(Prisma.sql`e.seq >= ${sequence.first} AND e.seq < ${sequence.end}`);
  const where = conditions.length > 0 ? Prisma.join(conditions, " AND ") : Prisma.sql`true`;
  const rows = Prisma.sql`SELECT ${fileColumns(request)} FROM (${candidates(driver, walk, null)}) e WHERE ${where} ${inOrder("e", walk)}`;
  return `COPY (${copySql(rows)}) TO STDOUT (${copyOptions(request, hasHeader)})`;
}
