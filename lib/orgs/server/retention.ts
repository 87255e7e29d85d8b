import type { Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import type { RetentionPolicy, Undelivered } from "@/lib/retention/schema";
import { streamOfContract } from "@/lib/streams/contract";
import { listStreams } from "@/lib/streams/server/streams";
import { MAX_RETENTION_DAYS } from "../schema";

/** How long an organization keeps events: its own period, else the instance's default. */

/** @returns days; null: never set. */
export async function readRetention({ organizationId }: Scope): Promise<number | null> {
  const { retentionDays } = await getPrisma().organization.findUniqueOrThrow({
    where: { id: organizationId },
  });
  return retentionDays;
}

export async function readPolicy({ organizationId }: Scope): Promise<RetentionPolicy> {
  const { TRAILSEAL_RETENTION_DAYS, TRAILSEAL_RETENTION_GRACE_DAYS: graceDays } = getEnv();
  const defaultDays = TRAILSEAL_RETENTION_DAYS ?? null;
  const { retentionDays, retentionUndelivered, retentionSince } =
    await getPrisma().organization.findUniqueOrThrow({
      where: { id: organizationId },
    });
  const days = retentionDays ?? defaultDays;
  return {
    days,
    source: retentionDays !== null ? "organization" : days !== null ? "instance" : "none",
    defaultDays,
    graceDays,
    undelivered: retentionUndelivered as Undelivered,
    since: retentionSince.toISOString(),
  };
}

/**
 * Changes the policy, and says so in the log. What stays the same is no change.
 * @param days null: the instance's default, else for ever
 */
export async function setRetention(
  scope: Scope,
  days: number | null,
  undelivered?: Undelivered,
): Promise<void> {
  const { organizationId } = scope;
  await inTransaction(writePool(), async (client) => {
    // An append, which holds the log's head, asks for the key share of this row: NO KEY lets it have that.
    const { rows } = await client.query<{ days: number | null; undelivered: Undelivered }>(
      `SELECT retention_days AS days, retention_undelivered AS undelivered FROM organizations
       WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE`,
      [organizationId],
    );
    const before = rows[0];
    if (!before) throw new AppError("not_found", `Organization not found: '${organizationId}'.`);
    const after = { days, undelivered: undelivered ?? before.undelivered };
    if (after.days === before.days && after.undelivered === before.undelivered) return;
    await client.query(
      `UPDATE organizations SET retention_days = $2, retention_undelivered = $3, retention_since = now(),
         updated_at = now()
       WHERE id = $1`,
      [organizationId, after.days, after.undelivered],
    );
    const words = (value: number | null) => (value === null ? "default" : String(value));
    await appendControlEvent(client, scope, {
      action: "trailseal.retention_changed",
      metadata: {
        days: words(after.days),
        days_before: words(before.days),
        undelivered: after.undelivered,
        undelivered_before: before.undelivered,
      },
    });
  });
}

/** E9 of the contract: its period is never null, so that "everything" is told as the longest it knows. */
export async function readConfiguration(scope: Scope): Promise<object> {
  const { organizationId } = scope;
  const { firstSeq } = await getPrisma().logHead.findUniqueOrThrow({ where: { organizationId } });
  // Events of the log itself, such as the change of its retention, were not sent by anybody.
  const sent = await getPrisma().event.findFirst({
    where: {
      organizationId,
      OR: [{ action: { lt: "trailseal." } }, { action: { gte: "trailseal/" } }],
    },
    select: { seq: true },
  });
  // The contract has one stream per organization: the first of those that there are.
  const [stream] = await listStreams(scope);
  return {
    organization_id: organizationId,
    retention_period_in_days: (await readPolicy(scope)).days ?? MAX_RETENTION_DAYS,
    state: sent || firstSeq > BigInt(0) ? "active" : "inactive",
    ...(stream ? { log_stream: streamOfContract(stream) } : {}),
  };
}
