import { genesisHash } from "@/lib/chain/event-hash";
import { sha256 } from "@/lib/chain/sha256";
import type { TestDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import type { NewEvent } from "../schema";
import { syntheticEvents } from "../synthetic";
import { type AppendOutcome, appendBatch } from "./append";

/** Logs for database tests: made and filled by the same code that serves requests. */

const BATCH = 500;

/** A new organization with an empty log. */
export async function createTestLog(db: TestDatabase, prefix = "log.test"): Promise<string> {
  const organizationId = newId("organization");
  const origin = `${prefix}/${organizationId}`;
  await db.owner.query("INSERT INTO organizations (id, name) VALUES ($1, 'Test')", [
    organizationId,
  ]);
  await db.owner.query(
    "INSERT INTO log_heads (organization_id, origin, head_hash) VALUES ($1, $2, $3)",
    [organizationId, origin, genesisHash(origin)],
  );
  return organizationId;
}

export async function appendEvents(
  organizationId: string,
  events: NewEvent[],
): Promise<AppendOutcome[]> {
  const outcomes: AppendOutcome[] = [];
  for (let at = 0; at < events.length; at += BATCH) {
    const items = events.slice(at, at + BATCH).map((event) => ({
      event,
      key: sha256(newId("request")),
      keylessKey: null,
      source: "import" as const,
    }));
    outcomes.push(...(await appendBatch(organizationId, items)));
  }
  return outcomes;
}

/** The same events for the same seed, over the `days` before 2026-02-01. */
export function testEvents(count: number, seed = 1, days = 3): NewEvent[] {
  const endMs = Date.UTC(2026, 1, 1);
  const source = syntheticEvents({ seed, actors: 50, targets: 200, days, endMs });
  return Array.from({ length: count }, () => {
    const { occurred_at, ...event } = source.next().value;
    return newEvent({ ...event, occurredAt: occurred_at });
  });
}

export function newEvent(
  event: Partial<Omit<NewEvent, "actor" | "targets" | "context">> & {
    actor?: object;
    targets?: object[];
    context?: object | null;
  },
): NewEvent {
  const occurredAt = event.occurredAt ?? "2026-01-02T03:04:05.678Z";
  return {
    action: "test.happened",
    version: 1,
    actor: { type: "user", id: "user_1" },
    targets: [],
    context: null,
    metadata: null,
    receivedOccurredAt: occurredAt,
    ...event,
    occurredAt,
  } as NewEvent;
}
