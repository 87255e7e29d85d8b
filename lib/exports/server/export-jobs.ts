import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { systemScope } from "@/lib/auth/server/system-scope";
import { writePool } from "@/lib/db/pool";
import { csvPieces } from "@/lib/events/server/csv";
import { type ExportSearch, exportFilter } from "../schema";
import { exportDirectory, fileOf, partOf, removeFiles } from "./files";

/** The worker's side of exports: each becomes a file, whatever happens to the workers meanwhile. */

const MAX_ATTEMPTS = 5;
/** How long a finished file is kept. */
const KEPT = "7 days";

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

/** The right to make one export: each claim raises the attempt, and only the newest may write. */
interface Claim {
  organizationId: string;
  id: string;
  attempt: number;
  search: ExportSearch;
}

class LeaseLost extends Error {}

/** Makes queued exports, and those whose worker died, one after the other until aborted. */
export async function runExports(signal: AbortSignal, options: RunnerOptions = {}): Promise<void> {
  const settings = { leaseMs: 30_000, pollMs: 500, retryMs: 2_000, ...options };
  while (!signal.aborted) {
    const claim = await claimNext(settings.leaseMs);
    if (claim) await make(claim, signal, settings);
    else await sleep(settings.pollMs, undefined, { signal }).catch(() => undefined);
  }
}

const DUE = "state IN ('queued', 'running') AND coalesce(lease_until <= now(), true)";
const AFTER = (parameter: string) => `now() + ${parameter} * interval '1 millisecond'`;

async function claimNext(leaseMs: number): Promise<Claim | null> {
  const due = await writePool().query<{ organization_id: string; id: string }>(
    `SELECT organization_id, id FROM exports WHERE ${DUE} ORDER BY created_at LIMIT 1`,
  );
  const [next] = due.rows;
  if (!next) return null;
  // Whoever comes second waits for the first, then finds it no longer due.
  const { rows } = await writePool().query<{ attempt: number; search: ExportSearch }>(
    `UPDATE exports SET state = 'running', attempt = attempt + 1, lease_until = ${AFTER("$3")}
     WHERE organization_id = $1 AND id = $2 AND ${DUE} RETURNING attempt, search`,
    [next.organization_id, next.id, leaseMs],
  );
  if (!rows[0]) return null;
  const claim = { organizationId: next.organization_id, id: next.id, ...rows[0] };
  if (claim.attempt <= MAX_ATTEMPTS) return claim;
  await fail(claim, `The worker ended ${MAX_ATTEMPTS} times while it made this export.`);
  return null;
}

async function make(
  claim: Claim,
  signal: AbortSignal,
  settings: Required<Omit<RunnerOptions, "pieceSize">> & RunnerOptions,
): Promise<void> {
  const { id, attempt } = claim;
  try {
    const { bytes, events, sha256 } = await writeFile(claim, signal, settings);
    await update(
      claim,
      `state = 'ready', events = $4, bytes = $5, sha256 = $6, error = NULL, lease_until = NULL,
       updated_at = now(), expires_at = now() + interval '${KEPT}'`,
      [events, bytes, sha256],
    );
    await removeFiles(id, 1, attempt - 1);
  } catch (error) {
    if (error instanceof LeaseLost) return removeFiles(id, attempt, attempt);
    // A worker that is asked to stop has not failed; the next one may use its number.
    if (signal.aborted)
      return update(claim, `${QUEUED}, attempt = attempt - 1, lease_until = NULL`, []).catch(
        unlessLost,
      );
    const message = error instanceof Error ? error.message : String(error);
    if (attempt >= MAX_ATTEMPTS) await fail(claim, message);
    else await retryLater(claim, settings.retryMs * 2 ** (attempt - 1));
    throw new Error(`${id}: ${message}`, { cause: error });
  }
}

/** Written whole under another name first: a file under its own name is complete. Leaves none that is not. */
async function writeFile(
  claim: Claim,
  signal: AbortSignal,
  options: { leaseMs: number } & RunnerOptions,
) {
  const { search, id, attempt, organizationId } = claim;
  const file = fileOf(id, attempt);
  const lines = new LineCount();
  const hash = createHash("sha256");
  let bytes = 0;
  await mkdir(exportDirectory(), { recursive: true, mode: 0o700 });
  const handle = await open(partOf(file), "w", 0o600);
  try {
    const request = {
      filter: exportFilter(search),
      from: search.range_start,
      to: search.range_end,
    };
    const scope = systemScope("worker", organizationId);
    for await (const piece of csvPieces(scope, request, options.pieceSize)) {
      for await (const chunk of addAbortSignal(signal, piece) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        lines.add(chunk);
        bytes += chunk.length;
        await handle.writeFile(chunk);
      }
      signal.throwIfAborted();
      const progress = [Math.max(0, lines.count - 1), bytes, options.leaseMs];
      await update(claim, `events = $4, bytes = $5, lease_until = ${AFTER("$6")}`, progress);
    }
    await handle.sync();
  } catch (error) {
    await rm(partOf(file), { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(partOf(file), file);
  return { bytes, events: lines.count - 1, sha256: hash.digest() };
}

/** Counts lines of RFC 4180 text chunk by chunk; line ends within quotes belong to a cell. */
export class LineCount {
  count = 0;
  private isQuoted = false;

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === 0x22) this.isQuoted = !this.isQuoted;
      else if (byte === 0x0a && !this.isQuoted) this.count += 1;
    }
  }
}

/** @throws LeaseLost when another worker has this export, or nobody any more */
async function update(claim: Claim, changes: string, values: unknown[]): Promise<void> {
  const { rowCount } = await writePool().query(
    `UPDATE exports SET ${changes}
     WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`,
    [claim.organizationId, claim.id, claim.attempt, ...values],
  );
  if (rowCount !== 1) throw new LeaseLost();
}

const unlessLost = (error: unknown) => {
  if (!(error instanceof LeaseLost)) throw error;
};

const QUEUED = "state = 'queued', events = 0, bytes = 0";

const retryLater = (claim: Claim, delayMs: number) =>
  giveUp(claim, `${QUEUED}, lease_until = ${AFTER("$4")}`, [delayMs]);

const fail = (claim: Claim, message: string) =>
  giveUp(
    claim,
    "state = 'failed', error = $4, events = 0, bytes = 0, lease_until = NULL, updated_at = now()",
    [message],
  );

/**
 * Its files go last: when the word that the export is ready was lost on its way back, they are what it is
 * ready with.
 */
async function giveUp(claim: Claim, changes: string, values: unknown[]): Promise<void> {
  await update(claim, changes, values)
    .then(() => removeFiles(claim.id, 1, claim.attempt))
    .catch(unlessLost);
}

/** Deletes the files of exports that have run out; what they were stays to be read. */
export async function deleteExpiredFiles(): Promise<void> {
  const { rows } = await writePool().query<{
    organization_id: string;
    id: string;
    attempt: number;
  }>(
    "SELECT organization_id, id, attempt FROM exports WHERE state = 'ready' AND expires_at <= now()",
  );
  for (const { organization_id: organizationId, id, attempt } of rows) {
    // The file first: a stop in between repeats this, the other way round it would leave the file.
    await removeFiles(id, 1, attempt);
    await writePool().query(
      `UPDATE exports SET state = 'expired', updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND state = 'ready'`,
      [organizationId, id],
    );
  }
}
