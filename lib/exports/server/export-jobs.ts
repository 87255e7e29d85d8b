import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { longPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { log } from "@/lib/log";
import { traced } from "@/lib/tracing";
import { type ExportFormat, exportOptionsSchema, exportSearchSchema } from "../schema";
import { BucketError } from "./bucket";
import {
  AFTER,
  BeginAnew,
  beginAnew,
  type Claim,
  claimNext,
  fail,
  KEPT,
  LeaseLost,
  MAX_TRIES,
  readTries,
  retryLater,
  unlessLost,
  update,
} from "./claim";
import type { Sequence } from "./export-file";
import {
  attemptOf,
  fileOf,
  forgetLocal,
  localFiles,
  manifestOf,
  publish,
  removeFiles,
  removeLocal,
} from "./files";
import { makeFile } from "./make-file";
import { NoKey, writeManifest } from "./write-manifest";

/** The worker's side of exports: each becomes a file, whatever happens to the workers meanwhile. */

const SIGNER_TRIES = 50;
const SIGNER_PAUSE_MS = 100;
/** Of exports without a file: what was asked for, and how it ended. */
const HISTORY_KEPT = "90 days";

export interface RunnerOptions {
  /** How long an export stays with a worker that says nothing: longer than any piece takes. */
  leaseMs?: number;
  /** Pause when there is nothing to do. */
  pollMs?: number;
  /** Events that one statement looks at. */
  pieceSize?: number;
  /** Before the first retry; each further one waits twice as long. */
  retryMs?: number;
}

const spanOf = ({ id, organizationId }: Claim) => ({
  "trailseal.export_id": id,
  "trailseal.organization_id": organizationId,
});

/** Makes queued exports, and those whose worker died, one after the other until aborted. */
export async function runExports(signal: AbortSignal, options: RunnerOptions = {}): Promise<void> {
  const settings = { leaseMs: 30_000, pollMs: 500, retryMs: 2_000, ...options };
  while (!signal.aborted) {
    const claim = await claimNext(settings.leaseMs);
    if (claim) await traced("export", spanOf(claim), () => make(claim, signal, settings));
    else await sleep(settings.pollMs, undefined, { signal }).catch(() => undefined);
  }
}

type Settings = Required<Omit<RunnerOptions, "pieceSize">> & RunnerOptions;

async function make(claim: Claim, stop: AbortSignal, settings: Settings): Promise<void> {
  const { id, attempt, organizationId } = claim;
  const lost = new AbortController();
  const extend = () =>
    update(claim, `lease_until = ${AFTER("$4")}`, [settings.leaseMs]).catch((error: unknown) => {
      // A database that is away for a moment takes nothing from anybody.
      if (error instanceof LeaseLost) lost.abort(error);
    });
  // Whatever takes long: the next piece, signing, an upload.
  const timer = setInterval(extend, settings.leaseMs / 3);
  try {
    await makeHeld(claim, AbortSignal.any([stop, lost.signal]), settings);
    await removeFiles({ ...claim, attempt: attempt - 1 });
  } catch (error) {
    if (error instanceof LeaseLost || lost.signal.aborted) return removeFiles(claim, attempt);
    // A worker that is asked to stop has not failed: the next one goes on at once.
    if (stop.aborted)
      return update(claim, "state = 'queued', tries = tries - 1, lease_until = NULL", []).catch(
        unlessLost,
      );
    log().error({ err: error, export_id: id, organization_id: organizationId }, "an export failed");
    if (error instanceof BeginAnew) await beginAnew(claim, error.isRangeKept);
    const { tries } = await readTries(claim);
    if (tries >= MAX_TRIES) await fail(claim, causeOf(error));
    else await retryLater(claim, causeOf(error), settings.retryMs * 2 ** (tries - 1));
    throw new Error(`${id}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearInterval(timer);
  }
}

async function makeHeld(claim: Claim, signal: AbortSignal, settings: Settings): Promise<void> {
  const { organizationId } = claim;
  const scope = systemScope("worker", organizationId);
  const request = {
    search: exportSearchSchema.parse(claim.search),
    options: exportOptionsSchema.parse(claim.options),
    format: claim.format,
  };
  const begun = claim.sequence ?? (await begin(claim));
  const keep = (changes: string, values: unknown[]) =>
    update(claim, `${changes}, lease_until = ${AFTER("$4")}`, [settings.leaseMs, ...values]);
  const started = { ...claim, ...request, sequence: begun };
  const made = await makeFile(scope, started, { signal, pieceSize: settings.pieceSize, keep });
  const [name, { written, sequence }] = [fileOf(claim), made];
  const manifest = await writeManifest(scope, { ...started, ...made }, name, made.file).then(
    (bytes) => ({ bytes, error: null }),
    (error: Error) => {
      if (!(error instanceof NoKey)) throw error;
      return { bytes: null, error: error.message };
    },
  );
  await assertUnpruned(organizationId, begun);
  await publish(name);
  if (manifest.bytes !== null) await publish(manifestOf(name));
  await update(
    claim,
    `state = 'ready', events = $4, bytes = $5, sha256 = $6, first_seq = $7, end_seq = $8, manifest_bytes = $9,
     manifest_error = $10, error = NULL, lease_until = NULL, safe = NULL, updated_at = now(),
     expires_at = now() + interval '${KEPT}'`,
    [
      ...[written.events, written.bytes, Buffer.from(written.sha256, "hex")],
      ...[sequence.first, sequence.end, manifest.bytes, manifest.error],
    ],
  );
  for (const one of [name, manifestOf(name)]) await forgetLocal(one);
}

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** What whoever asked for the export is told; the server's log has all of it. */
function causeOf(error: unknown): string {
  const isForPeople =
    error instanceof AppError || error instanceof BeginAnew || error instanceof BucketError;
  if (isForPeople) return error.message;
  if (FULL.has(String((error as { code?: unknown }).code)))
    return "There is no room left for files of exports.";
  return "The file could not be made, for a reason that the server's log names.";
}

/**
 * What the export is about: everything that a checkpoint covers now, so that its rows can be held against a signed
 * root. A log that the signer refuses is exported all the same, when it is needed most.
 */
async function begin(claim: Claim): Promise<Sequence> {
  const { organizationId } = claim;
  for (let tries = 0; tries < SIGNER_TRIES; tries += 1) {
    const cut = await cutCheckpoint(organizationId).catch((error: unknown) => {
      log().error(
        { err: error, organization_id: organizationId },
        "a log was not signed for its export",
      );
      return null;
    });
    if (cut?.kind !== "busy") break;
    await sleep(SIGNER_PAUSE_MS);
  }
  const { rows } = await longPool().query<{
    first_seq: number;
    next_seq: number;
    size: number | null;
  }>(
    `SELECT h.first_seq, h.next_seq, (SELECT max(c.tree_size) FROM checkpoints c
       WHERE c.organization_id = h.organization_id AND c.origin = h.origin AND c.tree_size <= h.next_seq) AS size
     FROM log_heads h WHERE h.organization_id = $1`,
    [organizationId],
  );
  const [head] = rows;
  if (!head) throw new Error(`There is no log of '${organizationId}'.`);
  // What came since the checkpoint was cut is not part of it; much more means that nothing is signed.
  const isCovered = head.size !== null && (await coversRequest(claim, head.size));
  const sequence = {
    first: head.first_seq,
    end: isCovered ? (head.size as number) : head.next_seq,
  };
  const isAll =
    claim.search.range_start === null && claim.search.range_end === null && !hasFilter(claim);
  await update(claim, "first_seq = $4, end_seq = $5, total = $6, safe = NULL", [
    sequence.first,
    sequence.end,
    isAll ? sequence.end - sequence.first : null,
  ]);
  return sequence;
}

/** Whether a checkpoint of this size has all that was there when the export was asked for. */
async function coversRequest({ organizationId, createdAt }: Claim, size: number): Promise<boolean> {
  const { rowCount } = await longPool().query(
    "SELECT 1 FROM events WHERE organization_id = $1 AND seq >= $2 AND recorded_at < $3 LIMIT 1",
    [organizationId, size, createdAt],
  );
  return rowCount === 0;
}

const hasFilter = ({ search: { q, ...search } }: Claim) =>
  q !== "" ||
  [search.actions, search.actor_ids, search.actor_names, search.targets].some(
    (list) => list?.length > 0,
  );

/** @throws BeginAnew where retention took some of it meanwhile */
async function assertUnpruned(organizationId: string, { first }: Sequence): Promise<void> {
  const { rows } = await longPool().query<{ first_seq: number }>(
    "SELECT first_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  );
  if (rows[0]?.first_seq !== first)
    throw new BeginAnew("Retention removed events while the file was made.", false);
}

export interface Over {
  organization_id: string;
  id: string;
  format: ExportFormat;
  attempt: number;
}

/** Deletes the files of exports that have run out; what they were stays to be read. */
export async function deleteExpiredFiles(): Promise<void> {
  const { rows } = await writePool().query<Over>(
    `SELECT organization_id, id, format, attempt FROM exports
     WHERE state IN ('ready', 'failed', 'cancelled') AND expires_at <= now()`,
  );
  for (const row of rows) await expire(row);
}

export async function expire({ organization_id: organizationId, ...attempt }: Over): Promise<void> {
  // The files first: a stop in between repeats this, the other way round it would leave them.
  await removeFiles(attempt);
  await writePool().query(
    `UPDATE exports SET state = CASE state WHEN 'ready' THEN 'expired' ELSE state END,
       safe = NULL, expires_at = CASE state WHEN 'ready' THEN expires_at END, updated_at = now()
     WHERE organization_id = $1 AND id = $2 AND state IN ('ready', 'failed', 'cancelled') AND expires_at <= now()`,
    [organizationId, attempt.id],
  );
}

/** Removes what lies in this host's directory and belongs to no export that still needs it. */
export async function sweepFiles(): Promise<void> {
  for (const name of await localFiles()) {
    const attempt = attemptOf(name);
    if (!attempt) continue;
    // Without the organization: a file's name has none.
    const { rows } = await writePool().query<{ needed: boolean }>(
      `SELECT state IN ('queued', 'running', 'ready', 'failed')
         AND (attempt = $2 OR (safe ->> 'attempt')::int = $2) AS needed FROM exports WHERE id = $1`,
      [attempt.id, attempt.attempt],
    );
    if (!rows.some(({ needed }) => needed)) await removeLocal(name);
  }
}

/** Housekeeping: exports whose file is long gone, or that never had one. */
export async function deleteOldExports(): Promise<void> {
  await writePool().query(
    `DELETE FROM exports WHERE state IN ('expired', 'failed', 'cancelled') AND updated_at < now() - $1::interval`,
    [HISTORY_KEPT],
  );
}

/**
 * In the transaction of an erasure: files that may hold what is erased run out, and those under way begin anew.
 * `deleteExpiredFiles` deletes them, at once or within the hour.
 */
export async function discardFiles(
  client: pg.PoolClient,
  { organizationId }: Scope,
): Promise<void> {
  await client.query(
    `UPDATE exports SET expires_at = now(), safe = NULL, first_seq = NULL, end_seq = NULL, total = NULL
     WHERE organization_id = $1 AND state IN ('ready', 'failed')`,
    [organizationId],
  );
  await client.query(
    `UPDATE exports SET attempt = attempt + 1, state = 'queued', tries = 0, lease_until = NULL, safe = NULL,
       first_seq = NULL, end_seq = NULL, total = NULL, events = 0, bytes = 0
     WHERE organization_id = $1 AND state IN ('queued', 'running')`,
    [organizationId],
  );
}
