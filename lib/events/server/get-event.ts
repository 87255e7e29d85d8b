import { decodeTime } from "ulid";
import type { Scope } from "@/lib/auth/scope";
import { genesisHash } from "@/lib/chain/event-hash";
import { Prisma } from "@/lib/generated/prisma/client";
import type { EventDetail, Participant } from "../schema";
import { type StoredEvent, toWireEvent } from "../wire";
import { readRows } from "./read";
import { eventsOf } from "./seen";
import { ofOrganization } from "./where";

const EVENT_ID = /^audit_event_([0-7][0-9A-HJKMNP-TV-Z]{25})$/;

/** An id is made when its event arrives; clocks of several servers may disagree by less than this. */
const ARRIVAL_SLACK_MS = 86_400_000;

const HEX = (column: string) => Prisma.raw(`encode(${column}, 'hex')`);

interface DetailRow {
  seq: number;
  recorded_ms: number;
  occurred_ms: number;
  version: number;
  action: string;
  actor: StoredEvent["actor"];
  targets: StoredEvent["targets"];
  context: StoredEvent["context"];
  metadata: StoredEvent["metadata"];
  chain_hash: string;
  /** Of the event before; null for the first event, and when it is missing. */
  previous_hash: string | null;
}

/** One event with everything about it; null when the organization has none with this id. */
export async function getEvent(scope: Scope, id: string): Promise<EventDetail | null> {
  const ulid = EVENT_ID.exec(id)?.[1];
  if (!ulid) return null;
  const { organizationId } = scope;
  const row = await findEvent(scope, id, decodeTime(ulid));
  if (!row) return null;
  const { seq, version, action, actor, targets, context, metadata } = row;
  const occurredAt = new Date(row.occurred_ms).toISOString();
  const stored: StoredEvent = {
    id,
    action,
    version,
    occurredAt,
    actor,
    targets,
    context,
    metadata,
  };
  const event = toWireEvent(organizationId, stored);
  const location = context?.location;
  return {
    id,
    seq,
    action,
    version,
    occurredAt,
    recordedAt: new Date(row.recorded_ms).toISOString(),
    actor: toParticipant(event.actor),
    targets: event.targets.map(toParticipant),
    location: typeof location === "string" ? location : null,
    organizationId,
    event,
    chainHash: row.chain_hash,
    previousHash: row.previous_hash ?? (await findBoundaryHash(organizationId, seq)),
  };
}

/** Of events with these numbers, the numbers of those that the reader sees. */
export async function seenSeqs(scope: Scope, seqs: readonly number[]): Promise<number[]> {
  if (!scope.sight) return [...seqs];
  const rows = await readRows<{ seq: number }>(
    Prisma.sql`SELECT e.seq::float8 AS seq FROM ${eventsOf(scope)}
      WHERE ${ofOrganization(scope.organizationId)} AND e.seq = ANY(${[...seqs]}::bigint[])`,
  );
  return rows.map(({ seq }) => seq);
}

async function findEvent(
  scope: Scope,
  id: string,
  arrivedMs: number,
): Promise<DetailRow | undefined> {
  // Nearly always recorded on arrival: a bound on the time visits one or two partitions. A stalled clock
  // can put recorded_at anywhere later, so the rest is asked too before saying that there is none.
  const from = new Date(arrivedMs - ARRIVAL_SLACK_MS).toISOString();
  const to = new Date(arrivedMs + ARRIVAL_SLACK_MS).toISOString();
  const near = Prisma.sql`e.recorded_at >= ${from}::timestamptz AND e.recorded_at < ${to}::timestamptz`;
  const [row] = await selectEvent(scope, id, near);
  return row ?? (await selectEvent(scope, id, Prisma.sql`true`))[0];
}

function selectEvent(scope: Scope, id: string, when: Prisma.Sql): Promise<DetailRow[]> {
  const { organizationId } = scope;
  // recorded_at never decreases along the sequence.
  return readRows<DetailRow>(Prisma.sql`SELECT e.seq::float8 AS seq, e.version, e.action,
      (extract(epoch FROM e.occurred_at) * 1000)::float8 AS occurred_ms,
      (extract(epoch FROM e.recorded_at) * 1000)::float8 AS recorded_ms,
      e.actor, e.targets, e.context, e.metadata, ${HEX("e.chain_hash")} AS chain_hash,
      (SELECT ${HEX("p.chain_hash")} FROM events p WHERE p.organization_id = ${organizationId}
         AND p.seq = e.seq - 1 AND p.recorded_at <= e.recorded_at LIMIT 1) AS previous_hash
    FROM ${eventsOf(scope)} WHERE ${ofOrganization(organizationId)} AND e.id = ${id} AND ${when} LIMIT 1`);
}

/** Where no event stands before: the pruned prefix's end, or the log's genesis; null when one is missing. */
async function findBoundaryHash(organizationId: string, seq: number): Promise<string | null> {
  if (seq === 0) {
    const [head] = await readRows<{ origin: string }>(
      Prisma.sql`SELECT coalesce((SELECT e.origin FROM log_epochs e
          WHERE e.organization_id = ${organizationId} AND e.epoch = 1), h.origin) AS origin
        FROM log_heads h WHERE h.organization_id = ${organizationId}`,
    );
    return head ? genesisHash(head.origin).toString("hex") : null;
  }
  const [prune] = await readRows<{ chain_hash: string }>(
    Prisma.sql`SELECT ${HEX("chain_hash")} AS chain_hash FROM prunes
      WHERE organization_id = ${organizationId} AND prune_size = ${seq}`,
  );
  return prune?.chain_hash ?? null;
}

function toParticipant(unit: Record<string, unknown>): Participant {
  const { type, id, name } = unit as { type: string; id: string; name?: string };
  return name === undefined ? { type, id } : { type, id, name };
}
