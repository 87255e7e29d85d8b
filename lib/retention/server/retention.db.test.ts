import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { verifyBundle } from "@/lib/chain/bundle";
import { verifyEventProof } from "@/lib/chain/event-proof";
import { parseVkey } from "@/lib/chain/note";
import { followTiles } from "@/lib/chain/server/tiles";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { parseImportedEvent } from "@/lib/events/schema";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { followRollups } from "@/lib/events/server/rollups";
import { readWireEvents } from "@/lib/events/server/selected-events";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { newId } from "@/lib/ids";
import { writeBundle } from "@/lib/integrity/server/bundle";
import { readEventProof } from "@/lib/integrity/server/event-proof";
import { cutCheckpoint, vkeyOf } from "@/lib/integrity/server/signer";
import { verifyLog } from "@/lib/integrity/server/verify";
import { type Erasure, eraseEvents, planErasure } from "./erase";
import { placeHold, releaseHold } from "./holds";
import { planPrune } from "./plan";
import { pruneEvents } from "./prune";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const PERSON = { type: "user", id: "usr_gone", name: "Person To Go" };
const scopeOf = (log: string) => systemScope("cli", log);
const BY_PERSON: Erasure = {
  actor: PERSON.id,
  target: { type: PERSON.type, id: PERSON.id },
  context: true,
  metadata: false,
  reason: "request 17",
};

/** 300 events; the person did 250 of the next 400 and is a target in 50. */
async function logWithPerson(): Promise<string> {
  const log = await createTestLog(db);
  await appendEvents(log, testEvents(300));
  const events = Array.from({ length: 400 }, (_, at) =>
    newEvent({
      action: "doc.opened",
      actor: at % 8 < 5 ? PERSON : { type: "user", id: "usr_stays" },
      targets: [
        { type: "doc", id: `doc_${at}` },
        ...(at % 8 === 7 ? [PERSON, { type: "user", id: "usr_other" }] : []),
      ],
      context: { location: "203.0.113.9", user_agent: "curl/8" },
      metadata: { number: String(at) },
    }),
  );
  await appendEvents(log, events);
  await follow(log);
  return log;
}

async function follow(log: string): Promise<void> {
  await followTiles(log);
  await followRollups(log);
  await cutCheckpoint(log);
}

async function insertImport(log: string, state: string): Promise<void> {
  await db.owner.query(
    `INSERT INTO imports (organization_id, id, state, file_name, bytes, sha256, packed, source, created_by)
     VALUES ($1, $2, $3, 'CRM.csv', 1, '\\x00', false, '{}', 'usr_1')`,
    [log, newId("import"), state],
  );
}

async function verdictOfBundle(log: string) {
  const lines: string[] = [];
  await writeBundle(scopeOf(log), async (line) => void lines.push(line));
  const trusted = [parseVkey(await vkeyOf(scopeOf(log)))];
  return { lines, verdict: await verifyBundle(lines, { trusted }) };
}

async function count(sql: string, log: string): Promise<number> {
  return Number((await db.owner.query(sql, [log])).rows[0].count);
}

describe("erasure", () => {
  test("names imports under way, which may bring back what is erased", async () => {
    const log = await logWithPerson();
    await insertImport(log, "done");
    const before = (await planErasure(scopeOf(log), BY_PERSON)).beyond;
    await insertImport(log, "running");
    expect((await planErasure(scopeOf(log), BY_PERSON)).beyond).toEqual([
      ...before,
      expect.stringMatching(/“CRM\.csv” is under way.*then erase again/),
    ]);
  });

  test("waits for an import that starts or ends meanwhile, and neither fails of the other", async () => {
    const log = await logWithPerson();
    await insertImport(log, "done");
    const client = await db.owner.connect();
    try {
      await client.query("BEGIN");
      await client.query("UPDATE imports SET updated_at = now() WHERE organization_id = $1", [log]);
      const erasing = eraseEvents(scopeOf(log), BY_PERSON);
      await expect
        .poll(async () => {
          const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
          return (await db.owner.query(`${waiting} AND datname = current_database()`)).rowCount;
        })
        .toBe(1);
      await appendControlEvent(client, scopeOf(log), {
        action: "trailseal.import_finished",
        targets: [],
        metadata: {},
      });
      await client.query("COMMIT");
      expect(await erasing).toBe(300);
    } finally {
      client.release();
    }
  });

  test("says what it would do, and changes nothing", async () => {
    const log = await logWithPerson();
    expect(await planErasure(scopeOf(log), BY_PERSON)).toMatchObject({
      events: 300,
      firstSeq: 300,
      lastSeq: 699,
    });
    expect(await verifyLog(scopeOf(log))).toMatchObject({ ok: true, checked: 700 });
  });

  test("takes a person out of everything; log, bundle and proofs still verify", async () => {
    const log = await logWithPerson();
    expect(await eraseEvents(scopeOf(log), BY_PERSON)).toBe(300);
    await follow(log);
    expect(await verifyLog(scopeOf(log))).toMatchObject({ ok: true, findings: [] });
    const { lines, verdict } = await verdictOfBundle(log);
    expect(verdict).toMatchObject({ ok: true, findings: [] });
    expect(lines.join("")).not.toMatch(/usr_gone|Person To Go/);
    for (const table of ["events", "event_targets"]) {
      const held = `SELECT count(*) FROM ${table} t WHERE organization_id = $1 AND t::text ~ 'usr_gone|Person To Go'`;
      expect(await count(held, log), table).toBe(0);
    }
    // The address of the person's events went with them; other events keep theirs, and the other target.
    const own = `SELECT count(*) FROM events WHERE organization_id = $1 AND action = 'doc.opened'`;
    expect(await count(`${own} AND erased ? 'actor' AND context IS NULL AND ip IS NULL`, log)).toBe(
      250,
    );
    expect(await count(`${own} AND NOT erased ? 'actor' AND ip IS NOT NULL`, log)).toBe(50);
    const others = `SELECT count(*) FROM event_targets WHERE organization_id = $1 AND target_id = 'usr_other'`;
    expect(await count(others, log)).toBe(50);

    const { rows } = await db.owner.query(
      "SELECT id FROM events WHERE organization_id = $1 AND seq IN (300, 307) ORDER BY seq",
      [log],
    );
    for (const { id } of rows) {
      const [event] = await readWireEvents(scopeOf(log), [id]);
      const { id: _, organization_id: __, ...sent } = event as object as Record<string, unknown>;
      expect(parseImportedEvent(sent)).toMatchObject({ ok: true });
      const proof = await readEventProof(scopeOf(log), id);
      expect(verifyEventProof(proof, [parseVkey(await vkeyOf(scopeOf(log)))])).toMatchObject({
        ok: true,
      });
    }
    // Nothing is left to do.
    expect(await planErasure(scopeOf(log), BY_PERSON)).toMatchObject({ events: 0 });
    expect(await eraseEvents(scopeOf(log), BY_PERSON)).toBe(0);
  });

  test("the login that serves cannot do it", async () => {
    const log = await logWithPerson();
    for (const sql of ["SET ROLE trailseal_eraser", "SET ROLE trailseal_retention"])
      await expect(db.app.query(sql)).rejects.toThrow(/permission denied/);
    await expect(
      db.app.query("UPDATE events SET actor = NULL WHERE organization_id = $1", [log]),
    ).rejects.toThrow(/permission denied/);
  });
});

describe("a legal hold", () => {
  test("lets nothing be erased or pruned until it is released, and both are in the log", async () => {
    const log = await logWithPerson();
    const { id } = await placeHold(scopeOf(log), "case 4");
    await expect(eraseEvents(scopeOf(log), BY_PERSON)).rejects.toThrow(/case 4/);
    await expect(pruneEvents(scopeOf(log), new Date())).rejects.toThrow(/case 4/);
    expect(await count("SELECT count(*) FROM events WHERE organization_id = $1", log)).toBe(701);
    await expect(releaseHold(scopeOf(log), "hold_x", "typo")).rejects.toThrow(/no open hold/);
    await releaseHold(scopeOf(log), id, "closed");
    expect(await eraseEvents(scopeOf(log), BY_PERSON)).toBe(300);
    const { rows } = await db.owner.query(
      `SELECT action, metadata ->> 'reason' AS reason FROM events WHERE organization_id = $1
         AND action ~ '^trailseal.hold' ORDER BY seq`,
      [log],
    );
    expect(rows).toEqual([
      { action: "trailseal.hold_placed", reason: "case 4" },
      { action: "trailseal.hold_released", reason: "closed" },
    ]);
  });
});

describe("pruning", () => {
  test("removes a beginning; what remains verifies, twice over", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(300));
    const first = await boundary();
    await appendEvents(log, testEvents(300, 2));
    const second = await boundary();
    await appendEvents(log, testEvents(100, 3));
    await follow(log);
    expect(await planPrune(scopeOf(log), first)).toMatchObject({ size: 300, events: 300 });
    expect(await pruneEvents(scopeOf(log), first)).toMatchObject({ size: 300 });
    await follow(log);
    const verdict = { ok: true, findings: [], first_seq: 300, checked: 401 };
    expect(await verifyLog(scopeOf(log))).toMatchObject(verdict);
    expect((await verdictOfBundle(log)).verdict).toMatchObject({ ok: true, findings: [] });
    await eraseEvents(scopeOf(log), { ...BY_PERSON, actor: "user_1" });
    expect(await pruneEvents(scopeOf(log), second)).toMatchObject({ size: 600, events: 300 });
    await follow(log);
    expect(await verifyLog(scopeOf(log))).toMatchObject({
      ok: true,
      findings: [],
      first_seq: 600,
    });
    expect((await verdictOfBundle(log)).verdict).toMatchObject({ ok: true, findings: [] });
    expect(await pruneEvents(scopeOf(log), second)).toMatchObject({ events: 0 });
  });

  test("within a tile that is not full keeps proofs whole, and the tile is written when it is full", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(270));
    for (const seed of [2, 3]) {
      const before = await boundary();
      await appendEvents(log, testEvents(5, seed));
      await follow(log);
      await pruneEvents(scopeOf(log), before);
    }
    await follow(log);
    const { rows } = await db.owner.query(
      "SELECT id FROM events WHERE organization_id = $1 ORDER BY seq LIMIT 2",
      [log],
    );
    const proofs = async () => {
      const trusted = [parseVkey(await vkeyOf(scopeOf(log)))];
      for (const { id } of rows)
        expect(verifyEventProof(await readEventProof(scopeOf(log), id), trusted)).toMatchObject({
          ok: true,
        });
    };
    await proofs();
    await appendEvents(log, testEvents(300, 4));
    await follow(log);
    expect(await count("SELECT count(*) FROM tiles WHERE organization_id = $1", log)).toBe(2);
    await proofs();
    expect(await verifyLog(scopeOf(log))).toMatchObject({ ok: true, findings: [] });
  });

  test("waits for a stream that has not delivered", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(20));
    await db.owner.query(
      `INSERT INTO streams (organization_id, id, name, destination, config) VALUES ($1, 's', 'SOC', 'webhook', '{}')`,
      [log],
    );
    await db.owner.query(
      "INSERT INTO stream_state (organization_id, stream_id, state, cursor_seq) VALUES ($1, 's', 'paused', 3)",
      [log],
    );
    await expect(pruneEvents(scopeOf(log), new Date())).rejects.toThrow(/SOC/);
    expect(await count("SELECT count(*) FROM events WHERE organization_id = $1", log)).toBe(20);
    // Past them all, but for what its receiver refused.
    await db.owner.query("UPDATE stream_state SET cursor_seq = 20 WHERE organization_id = $1", [
      log,
    ]);
    await db.owner.query(
      "INSERT INTO dead_letters (organization_id, stream_id, seq, reason) VALUES ($1, 's', 7, 'no')",
      [log],
    );
    expect(await planPrune(scopeOf(log), new Date())).toMatchObject({ behind: ["SOC"] });
    await db.owner.query(
      "UPDATE dead_letters SET discarded_at = now() WHERE organization_id = $1",
      [log],
    );
    expect(await planPrune(scopeOf(log), new Date())).toMatchObject({ behind: [] });
  });
});

/** A moment between two batches. */
async function boundary(): Promise<Date> {
  const now = new Date(Date.now() + 5);
  await new Promise((resolve) => setTimeout(resolve, 10));
  return now;
}
