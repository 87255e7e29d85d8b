import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { streamOfContract } from "@/lib/streams/contract";
import { listStreams } from "@/lib/streams/server/streams";
import { MAX_RETENTION_DAYS } from "../schema";

/** How long an organization keeps events. Nothing is deleted yet: this is what deletion will go by. */

/** @returns days; null: never set, everything is kept. */
export async function readRetention({ organizationId }: Scope): Promise<number | null> {
  const { retentionDays } = await getPrisma().organization.findUniqueOrThrow({
    where: { id: organizationId },
  });
  return retentionDays;
}

export async function setRetention({ organizationId }: Scope, days: number | null): Promise<void> {
  await getPrisma().organization.update({
    where: { id: organizationId },
    data: { retentionDays: days, updatedAt: new Date() },
  });
}

/**
 * How many events were received before so many days ago. Received times never decrease along the sequence,
 * so the boundary is found by halving it: one look-up by key per step, whatever the size of the log.
 */
export async function countOlderThan({ organizationId }: Scope, days: number): Promise<number> {
  const prisma = getPrisma();
  const boundary = new Date(Date.now() - days * 86_400_000);
  const head = await prisma.logHead.findUniqueOrThrow({ where: { organizationId } });
  const isOlder = async (seq: bigint) => {
    const event = await prisma.event.findFirst({
      where: { organizationId, seq },
      select: { recordedAt: true },
    });
    return event !== null && event.recordedAt < boundary;
  };
  let low = head.firstSeq;
  let high = head.nextSeq;
  while (low < high) {
    const middle = (low + high) / BigInt(2);
    if (await isOlder(middle)) low = middle + BigInt(1);
    else high = middle;
  }
  return Number(low - head.firstSeq);
}

/** E9 of the contract: its period is never null, so that "everything" is told as the longest it knows. */
export async function readConfiguration(scope: Scope): Promise<object> {
  const { organizationId } = scope;
  const head = await getPrisma().logHead.findUniqueOrThrow({ where: { organizationId } });
  // The contract has one stream per organization: the first of those that there are.
  const [stream] = await listStreams(scope);
  return {
    organization_id: organizationId,
    retention_period_in_days: (await readRetention(scope)) ?? MAX_RETENTION_DAYS,
    state: head.nextSeq > BigInt(0) ? "active" : "inactive",
    ...(stream ? { log_stream: streamOfContract(stream) } : {}),
  };
}
