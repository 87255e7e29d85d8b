import { systemScope } from "@/lib/auth/server/system-scope";
import { commitment, eventDigest, leafHash } from "@/lib/chain/event-hash";
import { Frontier } from "@/lib/chain/merkle";
import { followTiles } from "@/lib/chain/server/tiles";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import type { Verdict } from "../schema";
import { verifyLog } from "./verify";

// Damage done by SQL as the owner of the database, who can switch every trigger and index off.

/** Events in a log of these tests. */
export const EVENTS = 700;
/** Where most damage is done. */
export const K = 333;

export let db: TestDatabase;

/** A database without what would refuse the damage. */
export async function openUnguarded(): Promise<void> {
  db = await testDatabase();
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await db.owner.query("ALTER TABLE event_targets DISABLE TRIGGER ALL");
  const { rows } = await db.owner.query(
    "SELECT indexname FROM pg_indexes WHERE indexname ~ '^events_\\d{4}_\\d{2}_seq$'",
  );
  for (const { indexname } of rows) await db.owner.query(`DROP INDEX ${indexname}`);
}

export function verify(log: string, isRowByRow = false): Promise<Verdict> {
  return verifyLog(systemScope("cli", log), { isRowByRow });
}

/** A log of its own for every case: nothing has to be repaired afterwards. */
export async function sealedLog(count = EVENTS): Promise<string> {
  const log = await createTestLog(db);
  await appendEvents(log, testEvents(count));
  await follow(log);
  return log;
}

export async function follow(log: string): Promise<void> {
  await followTiles(log);
  await followRollups(log);
}

/** The database as a backup had it that was made at `size` events. */
export async function turnBack(log: string, size: number): Promise<void> {
  await run(
    log,
    `DELETE FROM events WHERE ORG AND seq >= ${size}`,
    `DELETE FROM event_targets WHERE ORG AND seq >= ${size}`,
    `DELETE FROM checkpoints WHERE ORG AND tree_size > ${size}`,
    ...["tiles", "followers", "rollup_hourly", "rollup_actions_daily", "rollup_keys_hourly"].map(
      (table) => `DELETE FROM ${table} WHERE ORG`,
    ),
    `UPDATE log_heads h SET next_seq = ${size}, head_hash = e.chain_hash, last_recorded_at = e.recorded_at
     FROM events e WHERE h.organization_id = LOG AND e.organization_id = LOG AND e.seq = ${size - 1}`,
  );
  await follow(log);
}

/** Runs statements in which ORG stands for the log's condition, LOG for its id, K for the place. */
export async function run(log: string, ...statements: string[]): Promise<void> {
  const words: Record<string, string> = {
    ORG: `organization_id = '${log}'`,
    LOG: `'${log}'`,
    K: String(K),
  };
  for (const sql of statements) {
    await db.owner.query(sql.replace(/\b(ORG|LOG|K)\b/g, (word) => words[word] as string));
  }
}

export const MAKE_ROOM = [
  "UPDATE events SET seq = seq + 1000000 WHERE ORG AND seq >= K",
  "UPDATE events SET seq = seq - 999999 WHERE ORG AND seq >= 1000000",
];
export const copyOf = (seq: string, changes: { seq: string; recordedAt?: string; hash?: string }) =>
  `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets,
     context, metadata, salts, chain_hash, ip)
   SELECT organization_id, ${changes.seq}, ${changes.recordedAt ?? "recorded_at"}, occurred_at, version,
     'audit_event_forged', action, actor, targets, context, metadata, salts, ${changes.hash ?? "sha256('x')"}, ip
   FROM events WHERE ORG AND seq = ${seq}`;

interface StoredRow {
  seq: number;
  recorded_at: Date;
  occurred_at: Date;
  [column: string]: unknown;
}

async function storedRow(log: string, seq: number): Promise<StoredRow> {
  const { rows } = await db.owner.query(
    `SELECT e.*, h.origin FROM events e JOIN log_heads h USING (organization_id)
     WHERE organization_id = $1 AND seq = $2`,
    [log, seq],
  );
  return { ...rows[0], seq };
}

function digestOf(row: StoredRow): Buffer {
  const content = { ...row, occurred_at: row.occurred_at.toISOString() };
  return eventDigest(content as never, row.salts as Buffer, row.erased as never);
}

/** Gives the rows from `from` to `to` the hashes that their content has now. */
export async function rechain(log: string, from: number, to: number): Promise<void> {
  let previous = (await storedRow(log, from - 1)).chain_hash as Buffer;
  for (let seq = from; seq <= to; seq += 1) {
    const row = await storedRow(log, seq);
    const recordedAt = row.recorded_at.toISOString();
    previous = leafHash(row.origin as string, seq, recordedAt, digestOf(row), previous);
    await db.owner.query(
      "UPDATE events SET chain_hash = $3 WHERE organization_id = $1 AND seq = $2",
      [log, seq, previous],
    );
  }
  await db.owner.query(
    "UPDATE log_heads SET head_hash = $3 WHERE organization_id = $1 AND next_seq = $2",
    [log, to + 1, previous],
  );
}

/** What the eraser does to one unit, as the eraser's role. */
export async function erase(log: string, seq: number, unit: "actor" | "targets/0"): Promise<void> {
  const row = await storedRow(log, seq);
  const salts = Buffer.from(row.salts as Buffer);
  const slot = unit === "actor" ? 0 : 48;
  const value = unit === "actor" ? row.actor : (row.targets as object[])[0];
  const hash = commitment(unit, salts.subarray(slot, slot + 16), value as object);
  salts.fill(0, slot, slot + 16);
  const client = await db.owner.connect();
  try {
    await client.query("SET ROLE trailseal_eraser");
    const change =
      unit === "actor" ? "actor = NULL" : "targets = jsonb_set(targets, '{0}', 'null')";
    await client.query(
      `UPDATE events SET ${change}, salts = $3, erased = $4 WHERE organization_id = $1 AND seq = $2`,
      [log, seq, salts, { [unit]: hash }],
    );
    if (unit === "targets/0") {
      const { type, id } = value as { type: string; id: string };
      await client.query(
        "DELETE FROM event_targets WHERE organization_id = $1 AND seq = $2 AND target_type = $3 AND target_id = $4",
        [log, seq, type, id],
      );
    }
    await client.query("RESET ROLE");
  } finally {
    client.release();
  }
}

export async function announceErasure(log: string, seq: number, units: string): Promise<void> {
  const { id } = await storedRow(log, seq);
  const targets = [{ type: "audit_event", id }];
  await appendEvents(log, [
    newEvent({
      action: "trailseal.event_erased",
      targets: targets as object[],
      metadata: { units },
    }),
  ]);
}

/** Removes the first `size` events the way retention does: announced, recorded, then deleted. */
export async function prune(log: string, size: number): Promise<void> {
  const { rows } = await db.owner.query(
    "SELECT chain_hash FROM events WHERE organization_id = $1 AND seq < $2 ORDER BY seq",
    [log, size],
  );
  const frontier = new Frontier();
  for (const { chain_hash } of rows) frontier.append(chain_hash);
  const chainHash = rows.at(-1).chain_hash as Buffer;
  const metadata = {
    prune_size: String(size),
    chain_hash: chainHash.toString("hex"),
    root: frontier.root().toString("hex"),
  };
  const [event] = await appendEvents(log, [newEvent({ action: "trailseal.pruned", metadata })]);
  await db.owner.query("INSERT INTO prunes VALUES ($1, $2, $3, $4, $5)", [
    log,
    size,
    chainHash,
    frontier.hashes,
    event?.seq,
  ]);
  await run(
    log,
    `DELETE FROM events WHERE ORG AND seq < ${size}`,
    `DELETE FROM event_targets WHERE ORG AND seq < ${size}`,
    `UPDATE log_heads SET first_seq = ${size} WHERE ORG`,
  );
}
