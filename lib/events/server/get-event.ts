import { decodeTime } from "ulid";
import type { Scope } from "@/lib/auth/scope";
import { genesisHash } from "@/lib/chain/event-hash";
import { getPrisma } from "@/lib/db/prisma";
import type { EventDetail, Participant } from "../schema";
import { type StoredEvent, toWireEvent } from "../wire";
import { translated } from "./read";

const EVENT_ID = /^audit_event_([0-7][0-9A-HJKMNP-TV-Z]{25})$/;

/** An id is made when its event arrives; clocks of several servers may disagree by less than this. */
const ARRIVAL_SLACK_MS = 86_400_000;

const DETAIL = {
  id: true,
  seq: true,
  recordedAt: true,
  occurredAt: true,
  version: true,
  action: true,
  actor: true,
  targets: true,
  context: true,
  metadata: true,
  chainHash: true,
} as const;

/** One event with everything about it; null when the organization has none with this id. */
export async function getEvent(scope: Scope, id: string): Promise<EventDetail | null> {
  const ulid = EVENT_ID.exec(id)?.[1];
  if (!ulid) return null;
  const { organizationId } = scope;
  const row = await translated(() => findEvent(organizationId, id, decodeTime(ulid)));
  if (!row) return null;
  const seq = Number(row.seq);
  const stored: StoredEvent = {
    id: row.id,
    action: row.action,
    version: row.version,
    occurredAt: row.occurredAt.toISOString(),
    actor: row.actor as StoredEvent["actor"],
    targets: row.targets as StoredEvent["targets"],
    context: row.context as StoredEvent["context"],
    metadata: row.metadata as StoredEvent["metadata"],
  };
  const event = toWireEvent(organizationId, stored);
  const location = stored.context?.location;
  return {
    id,
    seq,
    action: row.action,
    version: row.version,
    occurredAt: stored.occurredAt,
    recordedAt: row.recordedAt.toISOString(),
    actor: toParticipant(event.actor),
    targets: event.targets.map(toParticipant),
    location: typeof location === "string" ? location : null,
    organizationId,
    event,
    chainHash: hex(row.chainHash),
    previousHash: await translated(() => findPreviousHash(organizationId, seq, row.recordedAt)),
  };
}

async function findEvent(organizationId: string, id: string, arrivedMs: number) {
  const { event } = getPrisma();
  // Nearly always recorded on arrival: a bound on the time visits one or two partitions. A stalled clock
  // can put recorded_at anywhere later, so the rest is asked too before saying that there is none.
  const near = {
    gte: new Date(arrivedMs - ARRIVAL_SLACK_MS),
    lt: new Date(arrivedMs + ARRIVAL_SLACK_MS),
  };
  const where = { organizationId, id };
  return (
    (await event.findFirst({ where: { ...where, recordedAt: near }, select: DETAIL })) ??
    (await event.findFirst({ where, select: DETAIL }))
  );
}

/** Of the event before; of the pruned prefix's end, or of the log's genesis; null when it is missing. */
async function findPreviousHash(
  organizationId: string,
  seq: number,
  recordedAt: Date,
): Promise<string | null> {
  const prisma = getPrisma();
  if (seq === 0) {
    const head = await prisma.logHead.findUnique({
      where: { organizationId },
      select: { origin: true },
    });
    return head && genesisHash(head.origin).toString("hex");
  }
  const previous = await prisma.event.findFirst({
    // recorded_at never decreases along the sequence.
    where: { organizationId, seq: seq - 1, recordedAt: { lte: recordedAt } },
    select: { chainHash: true },
  });
  if (previous) return hex(previous.chainHash);
  const [prune] = await prisma.$queryRaw<{ chain_hash: string }[]>`
    SELECT encode(chain_hash, 'hex') AS chain_hash FROM prunes
    WHERE organization_id = ${organizationId} AND prune_size = ${seq}`;
  return prune?.chain_hash ?? null;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function toParticipant(unit: Record<string, unknown>): Participant {
  const { type, id, name } = unit as { type: string; id: string; name?: string };
  return name === undefined ? { type, id } : { type, id, name };
}
