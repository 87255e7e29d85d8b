import type pg from "pg";
import { genesisHash } from "@/lib/chain/event-hash";
import { newId } from "@/lib/ids";
import { ipOf } from "../ip";

/** Rows for tests of reads, written as the database's owner: any values, unsealed. */
export interface TestEvent {
  seq: number;
  id: string;
  action: string;
  version: number;
  occurred_at: string;
  actor: Record<string, unknown> | null;
  targets: (Record<string, unknown> | null)[];
  context: Record<string, unknown> | null;
  metadata: Record<string, unknown> | null;
}

export async function createTestOrganization(owner: pg.Pool): Promise<string> {
  const id = newId("organization");
  const origin = `test/${id}`;
  await owner.query("INSERT INTO organizations (id, name) VALUES ($1, 'Acme')", [id]);
  await owner.query(
    "INSERT INTO log_heads (organization_id, origin, head_hash) VALUES ($1, $2, $3)",
    [id, origin, genesisHash(origin)],
  );
  return id;
}

export async function insertTestEvents(
  owner: pg.Pool,
  organizationId: string,
  events: readonly TestEvent[],
): Promise<void> {
  const rows = events.map((event) => ({
    ...event,
    ip: ipOf(event.context?.location),
    keys: [
      ...new Map(
        event.targets.flatMap((target) =>
          target ? [[JSON.stringify([target.type, target.id]), target] as const] : [],
        ),
      ).values(),
    ].map((target) => ({ type: target.type, id: target.id })),
  }));
  await owner.query(
    `WITH given AS (
       SELECT * FROM jsonb_to_recordset($2::jsonb) AS r(seq bigint, id text, action text, version integer,
         occurred_at timestamptz, actor jsonb, targets jsonb, context jsonb, metadata jsonb, ip inet, keys jsonb)
     ), targets AS (
       INSERT INTO event_targets (organization_id, target_type, target_id, occurred_at, seq, recorded_at)
       SELECT $1, key ->> 'type', key ->> 'id', occurred_at, seq, date_trunc('day', now())
       FROM given, jsonb_array_elements(keys) AS key
     )
     INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets,
       context, metadata, salts, chain_hash, ip)
     SELECT $1, seq, date_trunc('day', now()), occurred_at, version, id, action, nullif(actor, 'null'), targets,
       nullif(context, 'null'), nullif(metadata, 'null'), '', sha256(seq::text::bytea), ip
     FROM given`,
    [organizationId, JSON.stringify(rows)],
  );
}
