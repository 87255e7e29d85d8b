import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import type { Receipt } from "@/lib/chain/bundle";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { followTiles } from "@/lib/chain/server/tiles";
import { randomBytes, sha256 } from "@/lib/chain/sha256";
import { parseImportedEvent } from "@/lib/events/schema";
import { appendBatch } from "@/lib/events/server/append";
import { followRollups } from "@/lib/events/server/rollups";
import { syntheticEvents } from "@/lib/events/synthetic";
import type { Verdict } from "../schema";
import type { Trust } from "../server/checkpoint-check";
import { cutCheckpoint } from "../server/signer";
import { Snapshot } from "../server/snapshot";
import { verifySnapshot } from "../server/verify";
import { type DrillCase, drillCases } from "./cases";
import { type DrillPlan, Forger } from "./forger";
import type { DrillResult } from "./report";

const BATCH = 500;
const CHECKPOINTS = 20;
const OTHER_EVENTS = 60;

/**
 * Damages a synthetic log in every known way and has each verified twice. The database is one made for this:
 * what refuses such damage is switched off in it for good, and each damage is rolled back.
 * @param createLog makes an organization with an empty log; gives its id
 */
export async function runDrill(
  ownerUrl: string,
  events: number,
  createLog: (name: string) => Promise<string>,
  onResult: (result: DrillResult) => void = () => undefined,
): Promise<DrillResult[]> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-drill-signer-"));
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 1 });
  // A server that goes is told by the next statement.
  owner.on("error", () => undefined);
  try {
    await unguard(owner);
    const drill = await prepareDrill(owner, events, directory, createLog);
    const results: DrillResult[] = [];
    for (const one of drillCases) {
      const result = await runCase(owner, drill, one);
      results.push(result);
      onResult(result);
    }
    return results;
  } finally {
    await owner.end();
    fs.rmSync(directory, { recursive: true });
  }
}

interface Drill {
  plan: DrillPlan;
  alone: Trust;
  withElsewhere: Trust;
}

/** Switches off what would refuse the damage. */
async function unguard(owner: pg.Pool): Promise<void> {
  await owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await owner.query("ALTER TABLE event_targets DISABLE TRIGGER ALL");
  const { rows } = await owner.query(
    "SELECT indexname FROM pg_indexes WHERE indexname ~ '^events_\\d{4}_\\d{2}_seq$'",
  );
  for (const { indexname } of rows) await owner.query(`DROP INDEX ${indexname}`);
}

async function prepareDrill(
  owner: pg.Pool,
  events: number,
  directory: string,
  createLog: (name: string) => Promise<string>,
): Promise<Drill> {
  const seed = randomBytes(32);
  const [log, other] = [await createLog("Drill"), await createLog("Another")];
  const step = Math.floor(events / CHECKPOINTS);
  const tail = Math.max(12, Math.floor(events / 2_000));
  const sizes = Array.from({ length: CHECKPOINTS - 1 }, (_, at) => (at + 1) * step);
  for (const [organizationId, ends] of [
    [log, [...sizes, events - tail, events]],
    [other, [OTHER_EVENTS]],
  ] as const) {
    const source = syntheticEvents({
      seed: 1,
      endMs: Date.now(),
      days: 30,
      actors: 500,
      targets: 5_000,
    });
    let stored = 0;
    for (const end of ends) {
      for (; stored < end; stored += Math.min(BATCH, end - stored))
        await appendBatch(organizationId, take(source, Math.min(BATCH, end - stored)));
      // What comes after the last checkpoint waits for the next.
      if (end !== events) await cutCheckpoint(organizationId, { directory, seed });
    }
    await followTiles(organizationId);
    await followRollups(organizationId);
  }
  const plan: DrillPlan = {
    log,
    origin: await originOf(owner, log),
    other,
    events,
    k: await findPlace(owner, log, Math.floor(events * 0.07777)),
    step,
    tail,
    pruned: Math.floor(events * 0.06),
    seed,
  };
  const publicKey = publicKeyOf(seed);
  const alone: Trust = {
    publicKeys: [publicKey],
    origins: [plan.origin],
    signedSize: null,
    mostUncovered: Math.floor(step * 1.5),
  };
  const evidence = await readEvidence(owner, plan);
  return { plan, alone, withElsewhere: { ...alone, signedSize: events - tail, ...evidence } };
}

function take(source: ReturnType<typeof syntheticEvents>, count: number) {
  return Array.from({ length: count }, () => {
    const parsed = parseImportedEvent(source.next().value);
    if (!parsed.ok) throw new Error("a synthetic event is not valid");
    const key = sha256(randomUUID());
    return { event: parsed.value, key, keylessKey: null, source: "import" as const };
  });
}

async function originOf(owner: pg.Pool, log: string): Promise<string> {
  const { rows } = await owner.query("SELECT origin FROM log_heads WHERE organization_id = $1", [
    log,
  ]);
  return rows[0].origin;
}

/** The first event from `from` on that has everything which a case changes. */
async function findPlace(owner: pg.Pool, log: string, from: number): Promise<number> {
  const { rows } = await owner.query(
    `SELECT min(seq)::int AS seq FROM events WHERE organization_id = $1 AND seq >= $2
       AND jsonb_array_length(targets) > 0 AND context ? 'location' AND metadata IS NOT NULL`,
    [log, from],
  );
  return rows[0].seq;
}

async function readEvidence(owner: pg.Pool, { log, origin, events }: DrillPlan) {
  const notes = await owner.query("SELECT note FROM checkpoints WHERE organization_id = $1", [log]);
  const kept = await owner.query<{ seq: number; hash: string }>(
    `SELECT seq::int, encode(chain_hash, 'hex') AS hash FROM events WHERE organization_id = $1
       AND (seq % 100 = 0 OR seq = $2)`,
    [log, events - 1],
  );
  return {
    checkpoints: notes.rows.map(({ note }) => note as string),
    receipts: kept.rows.map(({ seq, hash }): Receipt => ({ origin, seq, chain_hash: hash })),
  };
}

async function runCase(owner: pg.Pool, drill: Drill, one: DrillCase): Promise<DrillResult> {
  const { plan, alone, withElsewhere } = drill;
  const started = Date.now();
  const client = await owner.connect();
  try {
    await client.query("BEGIN");
    await one.damage(new Forger(plan, client));
    const snapshot = new Snapshot(client, plan.log);
    const verify = async (trust: Trust): Promise<Verdict> => {
      const verdict = await verifySnapshot(snapshot, trust);
      await client.query("CLOSE ALL");
      return verdict;
    };
    const [database, elsewhere] = [await verify(alone), await verify(withElsewhere)];
    const expectedSeq = one.kind && (one.at?.(plan) ?? plan.k);
    const expectedElsewhere = one.elsewhere ?? one.kind;
    const isPlaceRight = expectedSeq === -1 || database.first_bad_seq === expectedSeq;
    return {
      id: one.id,
      does: one.does,
      expected: one.kind,
      expected_seq: expectedSeq === -1 ? database.first_bad_seq : expectedSeq,
      found: database.kind,
      found_seq: database.first_bad_seq,
      expected_elsewhere: expectedElsewhere,
      found_elsewhere: elsewhere.kind,
      ok: database.kind === one.kind && isPlaceRight && elsewhere.kind === expectedElsewhere,
      duration_ms: Date.now() - started,
    };
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}
