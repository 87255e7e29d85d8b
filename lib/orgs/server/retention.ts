import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { streamOfContract } from "@/lib/streams/contract";
import { listStreams } from "@/lib/streams/server/streams";
import { MAX_RETENTION_DAYS } from "../schema";

/** How long an organization keeps events. Nothing is deleted yet: this is what deletion will go by. */

const DAY_MS = 86_400_000;

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

export interface RetentionPreview {
  /** Events received before this would go; null: none would. */
  before: string | null;
  events: number;
  all: number;
}

/**
 * What a retention would delete now. Received times never decrease along the sequence, so the boundary is
 * found by halving it: one look-up by key per step, whatever the size of the log.
 */
export async function previewRetention(
  { organizationId }: Scope,
  days: number | null,
): Promise<RetentionPreview> {
  const prisma = getPrisma();
  const head = await prisma.logHead.findUniqueOrThrow({ where: { organizationId } });
  const first = Number(head.firstSeq);
  const next = Number(head.nextSeq);
  const all = next - first;
  if (days === null) return { before: null, events: 0, all };
  const before = new Date(Date.now() - days * DAY_MS);
  let low = first;
  let high = next;
  while (low < high) {
    const seq = Math.floor((low + high) / 2);
    const event = await prisma.event.findFirst({
      where: { organizationId, seq },
      select: { recordedAt: true },
    });
    if (event && event.recordedAt < before) low = seq + 1;
    else high = seq;
  }
  return { before: before.toISOString(), events: low - first, all };
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
