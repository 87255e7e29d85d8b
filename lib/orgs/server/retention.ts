import type { Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { hasSentEvents } from "@/lib/events/server/ingestion-status";
import type { RetentionPolicy, Undelivered } from "@/lib/retention/schema";
import { streamOfContract } from "@/lib/streams/contract";
import { listStreams } from "@/lib/streams/server/streams";
import { MAX_RETENTION_DAYS } from "../schema";
import { changeWords, contradictionOf, readSealedRetention } from "./sealed-retention";

/** How long an organization keeps events: its own period, else the instance's default. */

/** @returns days; null: never set. */
export async function readRetention({ organizationId }: Scope): Promise<number | null> {
  const { retentionDays } = await getPrisma().organization.findUniqueOrThrow({
    where: { id: organizationId },
  });
  return retentionDays;
}

export async function readPolicy(scope: Scope): Promise<RetentionPolicy> {
  const { TRAILSEAL_RETENTION_DAYS, TRAILSEAL_RETENTION_GRACE_DAYS: graceDays } = getEnv();
  const defaultDays = TRAILSEAL_RETENTION_DAYS ?? null;
  const [settings, sealed] = await Promise.all([
    getPrisma().organization.findUniqueOrThrow({ where: { id: scope.organizationId } }),
    readSealedRetention(scope),
  ]);
  const own = settings.retentionDays;
  const days = own ?? defaultDays;
  const undelivered = settings.retentionUndelivered as Undelivered;
  const isSaid = own !== null || sealed?.defaultDays === defaultDays;
  return {
    days,
    source: own !== null ? "organization" : days !== null ? "instance" : "none",
    defaultDays,
    graceDays,
    undelivered,
    since: (isSaid && sealed?.since?.toISOString()) || null,
    sealedSeq: sealed?.seq ?? null,
    contradiction: contradictionOf({ days: own, undelivered }, sealed),
  };
}

/**
 * Changes the policy, and says so in the log. What stays the same, there too, is no change.
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
    const isSame = after.days === before.days && after.undelivered === before.undelivered;
    if (isSame && !contradictionOf(after, await readSealedRetention(scope, client))) return;
    await client.query(
      `UPDATE organizations SET retention_days = $2, retention_undelivered = $3, updated_at = now()
       WHERE id = $1`,
      [organizationId, after.days, after.undelivered],
    );
    await appendControlEvent(client, scope, {
      action: "trailseal.retention_changed",
      metadata: {
        ...changeWords(after.days, getEnv().TRAILSEAL_RETENTION_DAYS ?? null),
        days_before: changeWords(before.days, null).days,
        undelivered: after.undelivered,
        undelivered_before: before.undelivered,
      },
    });
  });
}

/**
 * Says in the log which default of the instance holds for it: nobody sets that here, and the grace period before it
 * deletes anything begins with this event.
 */
export async function sealDefault(scope: Scope): Promise<void> {
  const defaultDays = getEnv().TRAILSEAL_RETENTION_DAYS ?? null;
  await inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<{ days: number | null; undelivered: Undelivered }>(
      `SELECT retention_days AS days, retention_undelivered AS undelivered FROM organizations
       WHERE id = $1 FOR NO KEY UPDATE`,
      [scope.organizationId],
    );
    const sealed = await readSealedRetention(scope, client);
    const settings = rows[0];
    if (!settings || settings.days !== null || contradictionOf(settings, sealed)) return;
    if (defaultDays === null || sealed?.defaultDays === defaultDays) return;
    await appendControlEvent(client, scope, {
      action: "trailseal.retention_changed",
      metadata: { ...changeWords(null, defaultDays), undelivered: settings.undelivered },
      isDeletedToo: true,
    });
  });
}

/** E9 of the contract: its period is never null, so that "everything" is told as the longest it knows. */
export async function readConfiguration(scope: Scope): Promise<object> {
  const { organizationId } = scope;
  const { firstSeq } = await getPrisma().logHead.findUniqueOrThrow({ where: { organizationId } });
  const hasSent = await hasSentEvents(scope);
  // The contract has one stream per organization: the first of those that there are.
  const [stream] = await listStreams(scope);
  return {
    organization_id: organizationId,
    retention_period_in_days: (await readPolicy(scope)).days ?? MAX_RETENTION_DAYS,
    state: hasSent || firstSeq > BigInt(0) ? "active" : "inactive",
    ...(stream ? { log_stream: streamOfContract(stream) } : {}),
  };
}
