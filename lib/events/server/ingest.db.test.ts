import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { genesisHash } from "@/lib/chain/event-hash";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { type NewEvent, parseImportedEvent } from "../schema";
import { appendBatch } from "./append";
import { importEvents, ingestEvent } from "./ingest";

let db: TestDatabase;
let organizationId: string;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

beforeEach(async () => {
  organizationId = newId("organization");
  await db.owner.query("INSERT INTO organizations (id, name) VALUES ($1, 'Acme')", [
    organizationId,
  ]);
  await db.owner.query(
    "INSERT INTO log_heads (organization_id, origin, head_hash) VALUES ($1, $2, $3)",
    [organizationId, `test/${organizationId}`, genesisHash(`test/${organizationId}`)],
  );
});

const scope = () => systemScope("cli", organizationId);

function event(name: string, extra: object = {}): NewEvent {
  const parsed = parseImportedEvent({
    action: `test.${name}`,
    occurred_at: "2026-01-02T03:04:05.678Z",
    actor: { type: "user", id: "u1", name: 'tab\t newline\n backslash \\ quote " nul-free' },
    targets: [
      { type: "doc", id: "d\\1" },
      { type: "doc", id: "d\\1" },
    ],
    context: { location: "2001:db8::1" },
    metadata: { big: 2 ** 53 - 1, tiny: -0, text: "\\N", nested: { a: [1, "x"] } },
    ...extra,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}

async function rows() {
  const { rows: found } = await db.owner.query(
    "SELECT seq, action, actor, targets, metadata, chain_hash, ip::text, recorded_at FROM events WHERE organization_id = $1 ORDER BY seq",
    [organizationId],
  );
  return found;
}

describe("ingest", () => {
  test("an event is stored as it was sent, with a sequence number, and the head follows", async () => {
    const outcome = await ingestEvent(scope(), event("one"), "k1");
    expect(outcome).toMatchObject({ seq: 0, duplicate: false });
    const [row] = await rows();
    expect(row.actor.name).toBe('tab\t newline\n backslash \\ quote " nul-free');
    expect(row.metadata).toEqual({
      big: 2 ** 53 - 1,
      tiny: 0,
      text: "\\N",
      nested: { a: [1, "x"] },
    });
    expect(row.ip).toBe("2001:db8::1/128");
    const head = await db.owner.query(
      "SELECT next_seq, head_hash FROM log_heads WHERE organization_id = $1",
      [organizationId],
    );
    expect(head.rows[0].next_seq).toBe(1);
    expect(head.rows[0].head_hash.equals(row.chain_hash)).toBe(true);
    const targets = await db.owner.query(
      "SELECT target_id FROM event_targets WHERE organization_id = $1",
      [organizationId],
    );
    expect(targets.rows).toEqual([{ target_id: "d\\1" }]);
  });

  test("200 parallel copies of one keyed request store one row", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () => ingestEvent(scope(), event("copy"), "same")),
    );
    expect(outcomes.filter((outcome) => !outcome.duplicate)).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  test("the same key with another event is a new event; the same keyless event is not", async () => {
    await ingestEvent(scope(), event("a"), "key");
    await ingestEvent(scope(), event("b"), "key");
    await ingestEvent(scope(), event("c"), null);
    expect(await ingestEvent(scope(), event("c"), null)).toMatchObject({ seq: 2, duplicate: true });
    expect(await rows()).toHaveLength(3);
  });

  test("a keyed retry of a keyless request minutes ago stores nothing; other keys for the same event do", async () => {
    await ingestEvent(scope(), event("late"), null);
    expect(await ingestEvent(scope(), event("late"), "added-on-retry")).toMatchObject({
      seq: 0,
      duplicate: true,
    });
    await ingestEvent(scope(), event("twice"), "first");
    expect(await ingestEvent(scope(), event("twice"), "second")).toMatchObject({
      seq: 2,
      duplicate: false,
    });
  });

  test("an API key is forgotten after its expiry, an import's never", async () => {
    await ingestEvent(scope(), event("api"), "k");
    await importEvents(scope(), [{ event: event("import"), format: "ndjson", sourceId: "s1" }]);
    await db.owner.query(
      "UPDATE idempotency_keys SET expires_at = now() - interval '1 day' WHERE organization_id = $1",
      [organizationId],
    );
    expect(await ingestEvent(scope(), event("api"), "k")).toMatchObject({ duplicate: false });
    const [again] = await importEvents(scope(), [
      { event: event("import"), format: "ndjson", sourceId: "s1" },
    ]);
    expect(again).toMatchObject({ duplicate: true, seq: 1 });
  });

  test("duplicates leave no gap, also inside one batch", async () => {
    const item = (name: string, sourceId: string) => ({
      event: event(name),
      format: "ndjson",
      sourceId,
    });
    await importEvents(scope(), [
      item("a", "1"),
      item("a", "1"),
      item("b", "2"),
      item("a", "1"),
      item("c", "3"),
    ]);
    expect((await rows()).map((row) => row.seq)).toEqual([0, 1, 2]);
  });

  test("parallel writers of one organization neither fork nor leave a gap", async () => {
    const batches = Array.from({ length: 12 }, (_, writer) =>
      Array.from({ length: 25 }, (_, at) => ({
        event: event(`w${writer}`),
        format: "ndjson",
        sourceId: `${writer}/${at}`,
      })),
    );
    await Promise.all(batches.map((batch) => importEvents(scope(), batch)));
    const stored = await rows();
    expect(stored.map((row) => row.seq)).toEqual(Array.from({ length: 300 }, (_, seq) => seq));
    const times = stored.map((row) => row.recorded_at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("a clock that stepped back does not take recorded_at back", async () => {
    await ingestEvent(scope(), event("before"), null);
    await db.owner.query(
      "UPDATE log_heads SET last_recorded_at = date_trunc('hour', now()) + interval '59 minutes 59 seconds' WHERE organization_id = $1",
      [organizationId],
    );
    await ingestEvent(scope(), event("after"), null);
    const [, after] = await rows();
    expect(after.recorded_at.getUTCMinutes()).toBe(59);
  });

  test("an unknown organization is refused", async () => {
    const item = {
      event: event("x"),
      key: Buffer.alloc(32),
      keylessKey: null,
      source: "api" as const,
    };
    await expect(appendBatch("org_unknown", [item])).rejects.toMatchObject({ code: "not_found" });
  });

  test("connections cut in the middle lose nothing that was acknowledged", async () => {
    let acknowledged = 0;
    const send = async (at: number) => {
      try {
        await ingestEvent(scope(), event(`cut${at}`), `cut-${at}`);
        acknowledged += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: "unavailable" });
      }
    };
    const sending = Promise.all(Array.from({ length: 400 }, (_, at) => send(at)));
    await db.owner.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'trailseal-write' AND datname = current_database()",
    );
    await sending;
    const stored = (await rows()).length;
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
    await Promise.all(
      Array.from({ length: 400 }, (_, at) => ingestEvent(scope(), event(`cut${at}`), `cut-${at}`)),
    );
    expect(await rows()).toHaveLength(400);
  });
});
