import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { AFTER, LeaseLost, MAX_TRIES, unlessLost } from "@/lib/exports/server/claim";
import { log } from "@/lib/log";
import { runImport } from "../run-import";
import { type ImportOutcome, NOTHING, setupSchema, sourceSchema } from "../schema";
import {
  COLUMNS,
  calling,
  candidateOptions,
  outcomeOf,
  REJECTS_KEPT,
  type Row,
  removeFilesOf,
  sealEnd,
} from "./imports";
import {
  filesOlderThan,
  publishRejects,
  rejectsFile,
  removeLocal,
  removeRejects,
  removeUpload,
} from "./uploads";

/**
 * The worker's side of imports. One that a worker left begins anew: what is stored is recognised, and counted as
 * this import's own where it lies behind the log's end of when it was first taken up.
 */

const HISTORY_KEPT = "90 days";
const DAY_MS = 86_400_000;
const FIRST_EXAMPLES = 3;

export interface RunnerOptions {
  /** How long an import stays with a worker that says nothing. */
  leaseMs?: number;
  /** Pause when there is nothing to do. */
  pollMs?: number;
  /** Between two notes of how far it is. */
  noteMs?: number;
  /** Before the first retry; each further one waits twice as long. */
  retryMs?: number;
}

/** Carries out queued imports, and those whose worker died, one after the other until aborted. */
export async function runImports(signal: AbortSignal, options: RunnerOptions = {}): Promise<void> {
  const settings = { leaseMs: 30_000, pollMs: 500, noteMs: 500, retryMs: 2_000, ...options };
  while (!signal.aborted) {
    const claim = await claimNext(settings.leaseMs);
    if (claim) await carryOut(claim, signal, settings);
    else await sleep(settings.pollMs, undefined, { signal }).catch(() => undefined);
  }
}

interface Claim extends Row {
  organization_id: string;
}

const DUE = "state IN ('queued', 'running') AND coalesce(lease_until <= now(), true)";

async function claimNext(leaseMs: number): Promise<Claim | null> {
  const due = await writePool().query<{ organization_id: string; id: string }>(
    `SELECT organization_id, id FROM imports WHERE ${DUE} ORDER BY created_at LIMIT 1`,
  );
  const [next] = due.rows;
  if (!next) return null;
  // Whoever comes second waits for the first, then finds it no longer due. What is in the log before the first
  // attempt, others stored.
  const { rows } = await writePool().query<Claim>(
    `UPDATE imports SET state = 'running', attempt = attempt + 1, tries = tries + 1, lease_until = ${AFTER("$3")},
       start_seq = CASE attempt WHEN 0 THEN
         (SELECT next_seq - 1 FROM log_heads head WHERE head.organization_id = imports.organization_id) ELSE start_seq END
     WHERE organization_id = $1 AND id = $2 AND ${DUE} RETURNING organization_id, ${COLUMNS}`,
    [next.organization_id, next.id, leaseMs],
  );
  const [claim] = rows;
  if (!claim) return null;
  const done = { outcome: outcomeOf(claim), hasRejects: false };
  if (claim.cancel_requested) await end(claim, "cancelled", { ...done, error: null });
  else if (claim.tries > MAX_TRIES)
    await end(claim, "failed", {
      ...done,
      error: `The worker ended ${MAX_TRIES} times while it imported this file. What it stored stays.`,
    });
  else return claim;
  return null;
}

type Settings = Required<RunnerOptions>;

class Cancelled extends Error {}

async function carryOut(claim: Claim, stop: AbortSignal, settings: Settings): Promise<void> {
  const ours = new AbortController();
  const signal = AbortSignal.any([stop, ours.signal]);
  const progress = { outcome: structuredClone(NOTHING), readBytes: 0 };
  const note = () =>
    writePool().query<{ cancel_requested: boolean }>(
      `UPDATE imports SET summary = $4, read_bytes = $5, lease_until = ${AFTER("$6")}, updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'running' RETURNING cancel_requested`,
      [...keyOf(claim), JSON.stringify(progress.outcome), progress.readBytes, settings.leaseMs],
    );
  let noting = Promise.resolve();
  let isNoting = false;
  const timer = setInterval(() => {
    if (isNoting) return;
    isNoting = true;
    noting = note()
      .then(({ rows }) => {
        if (!rows[0]) ours.abort(new LeaseLost());
        else if (rows[0].cancel_requested) ours.abort(new Cancelled());
      })
      // A database that is away for a moment takes nothing from anybody.
      .catch(() => undefined)
      .finally(() => {
        isNoting = false;
      });
  }, settings.noteMs);
  try {
    await importHeld(claim, signal, progress);
    clearInterval(timer);
    await noting;
    await end(claim, "done", {
      outcome: progress.outcome,
      hasRejects: await publishRejects(claim.id, claim.attempt),
      error: null,
    });
  } catch (error) {
    clearInterval(timer);
    await noting;
    await afterFailure(claim, error, { stop, settings, outcome: progress.outcome });
  }
}

const keyOf = ({ organization_id, id, attempt }: Claim) => [organization_id, id, attempt];
const scopeOf = ({ organization_id }: Claim): Scope => systemScope("worker", organization_id);

/** @param progress is kept up as records are read */
async function importHeld(
  claim: Claim,
  signal: AbortSignal,
  progress: { outcome: ImportOutcome; readBytes: number },
): Promise<void> {
  const options = candidateOptions(
    sourceSchema.parse(claim.source),
    setupSchema.parse(claim.setup),
    false,
  );
  const { outcome } = progress;
  await calling(claim, claim.file_name, async (file) => {
    const summary = await runImport(scopeOf(claim), {
      ...options,
      files: [file],
      fileName: claim.file_name,
      rejectsFile: rejectsFile(claim.id, claim.attempt),
      startSeq: claim.start_seq as number,
      signal,
      onProgress: (so_far, { readBytes }) => {
        Object.assign(outcome, so_far);
        progress.readBytes = readBytes;
      },
      onRejected: ({ number, reasons }) => {
        outcome.examples.splice(FIRST_EXAMPLES, 1, { number, reasons: reasons.map(storable) });
      },
    });
    Object.assign(outcome, summary);
  });
}

async function afterFailure(
  claim: Claim,
  error: unknown,
  during: { stop: AbortSignal; settings: Settings; outcome: ImportOutcome },
): Promise<void> {
  const { stop, settings, outcome } = during;
  const done = { outcome, hasRejects: false };
  if (error instanceof LeaseLost) return removeRejects(claim.id, claim.attempt);
  if (error instanceof Cancelled) return end(claim, "cancelled", { ...done, error: null });
  // A worker that is asked to stop has not failed: the next one goes on at once.
  if (stop.aborted)
    return change(claim, "state = 'queued', tries = tries - 1, lease_until = NULL", []);
  log().error(
    { err: error, import_id: claim.id, organization_id: claim.organization_id },
    "an import failed",
  );
  const isFinal = error instanceof AppError && error.code !== "unavailable";
  if (isFinal || claim.tries >= MAX_TRIES)
    return end(claim, "failed", { ...done, error: causeOf(error) });
  await change(claim, `state = 'queued', error = $4, lease_until = ${AFTER("$5")}`, [
    causeOf(error),
    settings.retryMs * 2 ** (claim.tries - 1),
  ]);
}

const MAX_WORDS = 500;

/** A file's own text is in it: PostgreSQL knows no NUL and no half characters. */
const storable = (text: string) =>
  text.slice(0, MAX_WORDS).replaceAll("\0", "\uFFFD").toWellFormed();

/** What people are told; the server's log has all of it. */
function causeOf(error: unknown): string {
  if (error instanceof AppError) return storable(error.message);
  if (["ENOSPC", "EDQUOT"].includes(String((error as { code?: unknown }).code)))
    return "There is no room left on the server's disk for rejected rows.";
  return "The file could not be imported, for a reason that the server's log names.";
}

async function change(claim: Claim, changes: string, values: unknown[]): Promise<void> {
  await writePool().query(
    `UPDATE imports SET ${changes}, updated_at = now()
     WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`,
    [...keyOf(claim), ...values],
  );
}

/** Something was erased meanwhile where it has run out by now. The end and the event that tells of it are one; the uploaded file goes behind them. */
async function end(
  claim: Claim,
  state: "done" | "failed" | "cancelled",
  {
    outcome,
    hasRejects,
    error,
  }: { outcome: ImportOutcome; hasRejects: boolean; error: string | null },
): Promise<void> {
  const isEnded = await inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<Row>(
      `UPDATE imports SET state = $4, error = $6,
         summary = $5::jsonb || CASE WHEN expires_at IS NULL THEN '{}'::jsonb ELSE '{"examples": []}' END, rejects_attempt = $7, lease_until = NULL,
         read_bytes = CASE $4 WHEN 'done' THEN bytes ELSE read_bytes END, updated_at = now(),
         expires_at = CASE WHEN $7::int IS NOT NULL THEN coalesce(expires_at, now() + interval '${REJECTS_KEPT}') END
       WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'running' RETURNING ${COLUMNS}`,
      [...keyOf(claim), state, JSON.stringify(outcome), error, hasRejects ? claim.attempt : null],
    );
    if (!rows[0]) throw new LeaseLost();
    await sealEnd(client, scopeOf(claim), rows[0]);
    return true;
  }).catch(unlessLost);
  if (isEnded) await removeUpload(claim);
  else await removeRejects(claim.id, claim.attempt);
}

/** Uploads that nobody imported, and rejected records that were kept long enough. */
export async function expireImports(): Promise<void> {
  // Set back further than any transaction is old: one that is starting an import has done so by now, or cannot.
  const { rows } = await writePool().query<Claim>(
    `UPDATE imports SET expires_at = expires_at - interval '1 day'
     WHERE expires_at <= now() AND state NOT IN ('queued', 'running') RETURNING organization_id, ${COLUMNS}`,
  );
  for (const row of rows) {
    // The files first: a stop in between repeats this, the other way round it would leave them.
    await removeFilesOf(row);
    const key = [row.organization_id, row.id];
    await writePool().query(
      row.state === "uploaded"
        ? "DELETE FROM imports WHERE organization_id = $1 AND id = $2 AND state = 'uploaded'"
        : "UPDATE imports SET rejects_attempt = NULL, expires_at = NULL WHERE organization_id = $1 AND id = $2",
      key,
    );
  }
  await writePool().query(
    `DELETE FROM imports WHERE state IN ('done', 'failed', 'cancelled') AND updated_at < now() - $1::interval`,
    [HISTORY_KEPT],
  );
}

/** Removes what lies in this host's directory, a day old, and belongs to no import that still needs it. */
export async function sweepImports(olderThanMs = DAY_MS): Promise<void> {
  for (const { name, id, attempt } of await filesOlderThan(olderThanMs)) {
    // Without the organization: a file's name has none.
    const { rows } = await writePool().query<{ needed: boolean }>(
      `SELECT CASE WHEN $2::int IS NULL THEN state IN ('uploaded', 'queued', 'running')
         ELSE rejects_attempt = $2 OR (state = 'running' AND attempt = $2) END AS needed
       FROM imports WHERE id = $1`,
      [id, attempt],
    );
    if (!rows.some(({ needed }) => needed)) await removeLocal(name);
  }
}

/** In the transaction of an erasure: files that may hold what is erased go within the hour, or so after their import. */
export async function discardUploads(
  client: pg.PoolClient,
  { organizationId }: Scope,
): Promise<void> {
  await client.query(
    `UPDATE imports SET expires_at = now(), summary = summary || '{"examples": []}' WHERE organization_id = $1`,
    [organizationId],
  );
}
