import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { KEYS, type ObjectStore, startObjectStore } from "@/e2e/fixtures/object-store";
import { systemScope } from "@/lib/auth/server/system-scope";
import { writePool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { MAX_BATCH_EVENTS } from "@/lib/streams/destination";
import { item } from "@/lib/streams/destinations/test-batches";
import { openDestination } from "@/lib/streams/registry";
import type { CreateStreamInput, Reconciliation } from "@/lib/streams/schema";
import { drained, FAST, whileDelivering } from "@/lib/streams/server/delivery-fixtures";
import { createStream, updateStream } from "@/lib/streams/server/streams";
import { GuardedTransport } from "@/lib/streams/server/transport";
import { beginEpoch } from "./begin-epoch";
import { readReconciliation, reconcileStream, streamsToReconcile } from "./reconcile";
import { cutCheckpoint } from "./signer";
import {
  announceErasure,
  db,
  erase,
  openUnguarded,
  prune,
  rechain,
  run,
  sealedLog,
} from "./test-damage";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";
process.env.TRAILSEAL_ALERT_WEBHOOK = "http://127.0.0.1:9/alerts";

const COUNT = 1_200;
const K = 333;

let store: ObjectStore;
beforeAll(openUnguarded);
afterAll(() => db.close());
beforeEach(async () => {
  store = await startObjectStore("s3");
});
afterEach(() => store.close());

interface Delivered {
  log: string;
  id: string;
}

const configured = () => ({ bucket: "audit", endpoint: store.url });

async function add(log: string, more: Partial<CreateStreamInput> = {}): Promise<Delivered> {
  const { stream } = await createStream(systemScope("cli", log), {
    ...{ name: "Bucket", destination: "s3", from: "start", secrets: { ...KEYS } },
    config: configured(),
    ...more,
  });
  return { log, id: stream.id };
}

/** A log that lies in the store as a whole. */
async function delivered(): Promise<Delivered> {
  const stream = await add(await sealedLog(COUNT));
  await deliver(stream);
  return stream;
}

const deliver = ({ log, id }: Delivered) =>
  whileDelivering(() => drained(systemScope("cli", log), id), {
    ...FAST,
    ...{ deadlineMs: 10_000, leaseMs: 12_000 },
  });

const reconcile = ({ log, id }: Delivered, whole = false) =>
  reconcileStream(systemScope("cli", log), id, { whole });

/** "kind #seq", or what else came of it. */
const wordsOf = ({ finding, error }: Reconciliation) =>
  error ?? (finding ? `${finding.kind} #${finding.seq}` : "agrees");

const objectsOf = ({ log }: Delivered) => store.names().filter((name) => name.includes(log));

function rewrite(name: string, change: (lines: string[]) => string[]): void {
  const object = store.objects.get(name);
  if (!object) throw new Error(`there is no ${name}`);
  const lines = change(store.lines(name));
  store.objects.set(name, { ...object, bytes: gzipSync(lines.join("\n")) });
}

/** What a checkpoint of the log looks like where a stream put it. */
async function putCheckpoint({ log, id }: Delivered): Promise<void> {
  await cutCheckpoint(log);
  const { rows } = await db.owner.query<{ note: string }>(
    "SELECT note FROM checkpoints WHERE organization_id = $1 ORDER BY tree_size DESC LIMIT 1",
    [log],
  );
  const note = rows[0]?.note ?? "";
  const at = new Date().toISOString();
  const checkpoint = item(null, { kind: "checkpoint", recordedAt: at });
  Object.assign(checkpoint.event, {
    organization_id: log,
    action: "trailseal.checkpoint",
    metadata: { size: "1", note: note.slice(0, 100), note_2: note.slice(100) },
  });
  const destination = openDestination("s3", configured());
  const batch = { ...{ events: [checkpoint], deliveryId: `msg_${id}_checkpoint` } };
  const frame = destination.frame({ ...batch, sentAt: new Date(), format: "trailseal" }, KEYS);
  const transport = new GuardedTransport(id, 5_000);
  expect(await destination.send(frame, KEYS, transport)).toEqual({ kind: "delivered" });
}

test("answers lost on the way: every event lies there once, and agrees with the log", async () => {
  store.setFault({ mode: "reset_after_storing", times: 2 });
  const stream = await delivered();
  const seqs = objectsOf(stream).flatMap((name) =>
    store.lines(name).map((line) => (JSON.parse(line) as { seq: number }).seq),
  );
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, seq) => seq));
  expect(seqs.length).toBeGreaterThanOrEqual(COUNT);
  const scope = systemScope("cli", stream.log);
  expect(await readReconciliation(scope, stream.id)).toEqual({ isPossible: true, latest: null });
  expect(await streamsToReconcile()).toContainEqual({ organizationId: stream.log, id: stream.id });
  const found = await reconcile(stream);
  expect(found).toMatchObject({
    ...{ fromSeq: 0, toSeq: seqs.length, events: seqs.length, objects: objectsOf(stream).length },
    ...{
      finding: null,
      error: null,
      notCovered: [expect.stringContaining("No signed checkpoint")],
    },
  });
  expect(await readReconciliation(scope, stream.id)).toEqual({ isPossible: true, latest: found });
  expect(await streamsToReconcile()).not.toContainEqual(expect.objectContaining({ id: stream.id }));
});

describe("found at once", () => {
  it.each<[what: string, expected: string, damage: (stream: Delivered) => Promise<void> | void]>([
    [
      "a row changed and everything after it sealed anew",
      `changed #${K}`,
      async ({ log }) => {
        await run(log, `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = ${K}`);
        await rechain(log, K, COUNT - 1);
      },
    ],
    [
      "a row's hash replaced by something else",
      "changed #7",
      ({ log }) => run(log, "UPDATE events SET chain_hash = '\\x00' WHERE ORG AND seq = 7"),
    ],
    [
      "a row removed",
      `lost #${K}`,
      ({ log }) => run(log, `DELETE FROM events WHERE ORG AND seq = ${K}`),
    ],
    [
      "the log's end removed with its head",
      "lost #1190",
      ({ log }) =>
        run(
          log,
          "DELETE FROM events WHERE ORG AND seq >= 1190",
          "UPDATE log_heads SET next_seq = 1190 WHERE ORG",
        ),
    ],
    [
      "an event erased since, and another member of it changed",
      "changed #5",
      async ({ log }) => {
        await erase(log, 5, "actor");
        await run(log, "UPDATE events SET action = 'user.forged' WHERE ORG AND seq = 5");
      },
    ],
    [
      "a line changed in the store",
      "changed #3",
      (stream) =>
        rewrite(objectsOf(stream)[0] as string, (lines) =>
          lines.map((line, at) => (at === 3 ? line.replace('"action":"', '"action":"x') : line)),
        ),
    ],
    [
      "a line removed from the store",
      "missing #3",
      (stream) => rewrite(objectsOf(stream)[0] as string, (lines) => lines.toSpliced(3, 1)),
    ],
    [
      "an object removed",
      `missing #${MAX_BATCH_EVENTS}`,
      (stream) => {
        store.objects.delete(objectsOf(stream)[1] as string);
      },
    ],
    [
      "an object that is something else",
      "unreadable #null",
      (stream) => rewrite(objectsOf(stream)[1] as string, () => ["not", "ours"]),
    ],
  ])("%s", async (_, expected, damage) => {
    const stream = await delivered();
    expect(wordsOf(await reconcile(stream, true))).toBe("agrees");
    await damage(stream);
    expect(wordsOf(await reconcile(stream, true))).toBe(expected);
  });
});

it("what was erased, pruned, set aside or skipped since is no difference", async () => {
  const stream = await delivered();
  const { log, id } = stream;
  await erase(log, 700, "actor");
  await erase(log, 700, "targets/0");
  await announceErasure(log, 700, "actor,targets/0");
  rewrite(objectsOf(stream)[0] as string, (lines) => lines.toSpliced(700, 3));
  await writePool().query(
    "INSERT INTO dead_letters (organization_id, stream_id, seq, reason) VALUES ($1, $2, 700, 'x')",
    [log, id],
  );
  expect(wordsOf(await reconcile(stream))).toBe("missing #701");
  await writePool().query(
    "UPDATE stream_state SET skipped = '{[701,703)}' WHERE organization_id = $1 AND stream_id = $2",
    [log, id],
  );
  expect(wordsOf(await reconcile(stream))).toBe("agrees");
  await prune(log, 100);
  const { notCovered, fromSeq } = await reconcile(stream, true);
  expect(fromSeq).toBe(100);
  expect(notCovered.join(" ")).toContain("below #100 are pruned");
  expect(notCovered.join(" ")).toContain("100 lines");
});

it("a later run reads the newest objects only, whose chain hashes speak for all before; a finding stands", async () => {
  const stream = await delivered();
  const alerts = async () => {
    const { rows } = await db.owner.query<{ kind: string }>(
      "SELECT kind FROM alerts WHERE organization_id = $1 ORDER BY created_at, id",
      [stream.log],
    );
    return rows.map(({ kind }) => kind);
  };
  const first = await reconcile(stream);
  expect(wordsOf(first)).toBe("agrees");
  const second = await reconcile(stream);
  expect(second.fromSeq).toBe(first.toSeq - MAX_BATCH_EVENTS);
  const { rows } = await db.owner.query(
    "SELECT * FROM events WHERE organization_id = $1 AND seq >= 5",
    [stream.log],
  );
  await run(stream.log, "UPDATE events SET action = 'user.forged' WHERE ORG AND seq = 5");
  await rechain(stream.log, 5, COUNT - 1);
  expect((await reconcile(stream)).finding?.kind).toBe("changed");
  expect((await reconcile(stream)).finding?.kind).toBe("changed");
  expect(await alerts()).toEqual(["stream.differs"]);
  for (const { seq, action, chain_hash } of rows)
    await db.owner.query(
      "UPDATE events SET action = $3, chain_hash = $4 WHERE organization_id = $1 AND seq = $2",
      [stream.log, seq, action, chain_hash],
    );
  expect(wordsOf(await reconcile(stream))).toBe("agrees");
  expect(await alerts()).toEqual(["stream.differs", "stream.agrees"]);
});

it("after a restore that lost events, the new epoch's lie beside the lost ones, which are no difference", async () => {
  const stream = await delivered();
  const { log } = stream;
  await cutCheckpoint(log);
  await run(
    log,
    "DELETE FROM events WHERE ORG AND seq >= 1000",
    "DELETE FROM event_targets WHERE ORG AND seq >= 1000",
    "DELETE FROM checkpoints WHERE ORG AND tree_size > 1000",
    ...["tiles", "followers"].map((table) => `DELETE FROM ${table} WHERE ORG`),
    `UPDATE log_heads h SET next_seq = 1000, head_hash = e.chain_hash, last_recorded_at = e.recorded_at
     FROM events e WHERE h.organization_id = LOG AND e.organization_id = LOG AND e.seq = 999`,
  );
  expect(wordsOf(await reconcile(stream, true))).toBe("lost #1000");
  await beginEpoch(systemScope("cli", log), "restored");
  await appendEvents(log, testEvents(500, 3));
  await deliver(stream);
  expect(wordsOf(await reconcile(stream, true))).toBe("agrees");
  const { notCovered } = await reconcile(stream, true);
  expect(notCovered.join(" ")).toContain("lost before a new epoch");
});

it("what went to another place before is not missed where the stream goes now", async () => {
  const stream = await delivered();
  const scope = systemScope("cli", stream.log);
  const config = { ...configured(), prefix: "moved" };
  await updateStream(scope, { id: stream.id, name: "Bucket", config, secrets: {} });
  await appendEvents(stream.log, testEvents(MAX_BATCH_EVENTS + 300, 2));
  await deliver(stream);
  const found = await reconcile(stream, true);
  expect(wordsOf(found)).toBe("agrees");
  expect(found.toSeq - found.fromSeq).toBeGreaterThan(200);
  expect(found.fromSeq).toBeGreaterThanOrEqual(COUNT + MAX_BATCH_EVENTS);
  const name = objectsOf(stream).findLast((key) => key.startsWith("audit/moved/"));
  store.objects.delete(name as string);
  expect((await reconcile(stream, true)).finding?.kind).toBe("missing");
});

it("a checkpoint that lies there contradicts a history signed anew with the stolen key", async () => {
  const log = await sealedLog(COUNT);
  const stream = await add(log, { from: "now" });
  await putCheckpoint(stream);
  expect(await reconcile(stream)).toMatchObject({ finding: null, checkpoints: 1 });
  await run(
    log,
    `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = ${K}`,
    "DELETE FROM tiles WHERE ORG",
    "DELETE FROM checkpoints WHERE ORG",
    "UPDATE followers SET next_seq = 0 WHERE ORG AND name = 'tiles'",
  );
  await rechain(log, K, COUNT - 1);
  fs.rmSync(path.join(getEnv().TRAILSEAL_DATA_DIR, "signer", `${log}.json`));
  await cutCheckpoint(log);
  const { finding } = await reconcile(stream, true);
  expect(finding).toMatchObject({ kind: "checkpoint", detail: expect.stringContaining("forked") });
});

it("credentials that may only write: that is said, and is no difference", async () => {
  const stream = await delivered();
  store.setFault({ mode: "write_only" });
  const { error, finding } = await reconcile(stream);
  expect(error).toContain("may only write");
  expect(error).toContain("s3:GetObject");
  expect(finding).toBe(null);
});

it("streams that hold something else than the log's own format are refused", async () => {
  const log = await sealedLog(3);
  const other = await add(log, { format: "workos" });
  await expect(reconcile(other)).rejects.toThrow("Only object stores");
  const { isPossible } = await readReconciliation(systemScope("cli", log), other.id);
  expect(isPossible).toBe(false);
});
