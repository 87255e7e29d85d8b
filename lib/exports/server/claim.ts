import { z } from "zod";
import { writePool } from "@/lib/db/pool";
import type { ExportFormat, NewExport } from "../schema";
import type { Sequence } from "./export-file";
import type { Attempt } from "./files";

/** Who makes an export: a lease that is extended with every piece, and an attempt that fences whoever was thought dead. */

/** In a row, without anything new that is safe. */
export const MAX_TRIES = 5;
/** How long a finished file is kept, and how long the beginning of one that failed. */
export const KEPT = "7 days";

const safeSchema = z.object({
  position: z.object({ occurredAtMs: z.number(), seq: z.number() }),
  bytes: z.number(),
  events: z.number(),
  sha256: z.string(),
  attempt: z.number(),
});
/** Where the next piece begins, what was written until then, and by which attempt. */
export type Safe = z.infer<typeof safeSchema>;

/** The right to make one export: each claim raises the attempt, and only the newest may write. */
export interface Claim extends NewExport, Attempt {
  organizationId: string;
  createdBy: string;
  createdAt: Date;
  tries: number;
  sequence: Sequence | null;
  safe: Safe | null;
}

export class LeaseLost extends Error {}
/** What was written does not belong together any more: the next attempt begins anew, of the same range or of another. */
export class BeginAnew extends Error {
  constructor(
    message: string,
    readonly isRangeKept: boolean,
  ) {
    super(message);
  }
}

const DUE = "state IN ('queued', 'running') AND coalesce(lease_until <= now(), true)";
export const AFTER = (parameter: string) => `now() + ${parameter} * interval '1 millisecond'`;

interface Row {
  format: ExportFormat;
  search: unknown;
  options: unknown;
  attempt: number;
  tries: number;
  created_by: string;
  created_at: Date;
  first_seq: number | null;
  end_seq: number | null;
  safe: unknown;
}

export async function claimNext(leaseMs: number): Promise<Claim | null> {
  const due = await writePool().query<{ organization_id: string; id: string }>(
    `SELECT organization_id, id FROM exports WHERE ${DUE} ORDER BY created_at LIMIT 1`,
  );
  const [next] = due.rows;
  if (!next) return null;
  // Whoever comes second waits for the first, then finds it no longer due.
  const { rows } = await writePool().query<Row>(
    `UPDATE exports SET state = 'running', attempt = attempt + 1, tries = tries + 1, lease_until = ${AFTER("$3")},
       started_at = coalesce(started_at, now())
     WHERE organization_id = $1 AND id = $2 AND ${DUE}
     RETURNING format, search, options, attempt, tries, created_by, created_at, first_seq, end_seq, safe`,
    [next.organization_id, next.id, leaseMs],
  );
  const [row] = rows;
  if (!row) return null;
  const key = { organizationId: next.organization_id, id: next.id };
  const claim: Claim = {
    ...key,
    ...{ format: row.format, attempt: row.attempt, tries: row.tries },
    ...{ createdBy: row.created_by, createdAt: row.created_at },
    search: row.search as Claim["search"],
    options: row.options as Claim["options"],
    sequence:
      row.first_seq === null || row.end_seq === null
        ? null
        : { first: row.first_seq, end: row.end_seq },
    // What another version kept is made anew.
    safe: safeSchema.safeParse(row.safe).data ?? null,
  };
  if (claim.tries <= MAX_TRIES) return claim;
  await fail(claim, `The worker ended ${MAX_TRIES} times while it made this export.`);
  return null;
}

/** @throws LeaseLost when another worker has this export, or nobody any more */
export async function update(claim: Claim, changes: string, values: unknown[]): Promise<void> {
  const { rowCount } = await writePool().query(
    `UPDATE exports SET ${changes}
     WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`,
    [claim.organizationId, claim.id, claim.attempt, ...values],
  );
  if (rowCount !== 1) throw new LeaseLost();
}

export const unlessLost = (error: unknown) => {
  if (!(error instanceof LeaseLost)) throw error;
};

/** Pieces that became safe meanwhile count anew. */
export async function readTries({ organizationId, id, tries }: Claim): Promise<{ tries: number }> {
  const { rows } = await writePool().query<{ tries: number }>(
    "SELECT tries FROM exports WHERE organization_id = $1 AND id = $2",
    [organizationId, id],
  );
  return rows[0] ?? { tries };
}

export const beginAnew = (claim: Claim, isRangeKept: boolean) =>
  update(
    claim,
    `safe = NULL, events = 0, bytes = 0${isRangeKept ? "" : ", first_seq = NULL, end_seq = NULL, total = NULL"}`,
    [],
  ).catch(unlessLost);

export const retryLater = (claim: Claim, message: string, delayMs: number) =>
  update(claim, `state = 'queued', error = $4, lease_until = ${AFTER("$5")}`, [
    message,
    delayMs,
  ]).catch(unlessLost);

/** What is safe of its file stays for a while, so that somebody can let it go on. */
export const fail = (claim: Claim, message: string) =>
  update(
    claim,
    `state = 'failed', error = $4, lease_until = NULL, updated_at = now(), expires_at = now() + interval '${KEPT}'`,
    [message],
  ).catch(unlessLost);
