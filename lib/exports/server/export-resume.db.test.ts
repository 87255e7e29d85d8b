import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, writePool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { deleteExpiredFiles, discardFiles, sweepFiles } from "./export-jobs";
import { cancelExport, getExport, openExport, resumeExport, revokeLinks } from "./exports";
import { fileOf, partOf } from "./files";
import {
  contentOf,
  EVENTS,
  exportSuite,
  filesOf,
  made,
  ODD,
  startRunner,
  stopRunners,
} from "./test-exports";

let db: TestDatabase;
let log: string;
const { scope, newLog, ask, begun, make, check } = exportSuite(() => ({ db, log }));

beforeAll(async () => {
  db = await testDatabase();
  log = await newLog();
});
afterEach(stopRunners);
afterAll(() => db.close());

describe("an export", () => {
  const undisturbed = async (of: string) => (await make({}, of)).file;

  test("goes on behind the last piece that is safe, and ends in the same file", async () => {
    const own = await newLog(1_500);
    const whole = await undisturbed(own);
    await stopRunners();
    const id = await begun(own);
    const before = await getExport(scope(own), id);
    expect(before).toMatchObject({ state: "queued", reached: expect.any(String), total: 1_500 });
    expect(before.events).toBeLessThan(1_500);
    // Events that come meanwhile are none of it.
    await appendEvents(own, testEvents(50, 9));
    startRunner({ pieceSize: 300 });
    await made(id, own);
    expect(Buffer.from(await contentOf(id, own)).equals(whole)).toBe(true);
    expect(await check(whole, await contentOf(id, own, true), own)).toMatchObject({
      ok: true,
      is_complete: true,
    });
  });

  test("whose kept beginning was changed or lost begins anew, and ends in the same file", async () => {
    const own = await newLog(1_500);
    const whole = await undisturbed(own);
    await stopRunners();
    const id = await begun(own);
    const { rows } = await db.owner.query(
      "SELECT (safe ->> 'attempt')::int AS attempt FROM exports WHERE id = $1",
      [id],
    );
    writeFileSync(partOf(fileOf({ id, format: "csv", attempt: rows[0].attempt })), "id,other\n");
    startRunner();
    expect(await made(id, own)).toMatchObject({ state: "ready" });
    expect(Buffer.from(await contentOf(id, own)).equals(whole)).toBe(true);
  });

  test("goes on where nothing was found so far, and behind a file that was whole already", async () => {
    const own = await newLog(1_500);
    const rare = { format: "ndjson", q: "metadata.nothing:like-it" } as const;
    const id = await ask(rare, own);
    const stop = startRunner({ pieceSize: 20 });
    while ((await getExport(scope(own), id)).reached === null) await sleep(1);
    await stop();
    const other = await ask({}, own);
    const whole = await undisturbed(own);
    await made(id, own);
    expect(await getExport(scope(own), id)).toMatchObject({ state: "ready", events: 0 });
    await made(other, own);
    await stopRunners();
    // Its worker died after the last rename.
    await db.owner.query(
      `UPDATE exports e SET state = 'running', lease_until = now(), sha256 = NULL,
         safe = jsonb_build_object('position', jsonb_build_object('occurredAtMs', 0, 'seq', 0),
           'bytes', bytes, 'events', events, 'sha256', encode(sha256, 'hex'), 'attempt', attempt)
       WHERE id = $1`,
      [other],
    );
    startRunner();
    expect(await made(other, own)).toMatchObject({ state: "ready", events: 1_500 });
    expect(Buffer.from(await contentOf(other, own)).equals(whole)).toBe(true);
  });

  test("stays with a worker that takes longer than its lease", async () => {
    startRunner({ leaseMs: 60, pieceSize: 5 });
    startRunner({ leaseMs: 60, pieceSize: 5 });
    const own = await newLog(1_500);
    const id = await ask({ options: { proof: true } }, own);
    expect(await made(id, own)).toMatchObject({ state: "ready", events: 1_500 });
  });

  test("that failed says why, keeps what is safe, and goes on when somebody says so", async () => {
    const own = await newLog(1_500);
    const id = await begun(own);
    await db.owner.query("UPDATE exports SET tries = 5 WHERE id = $1", [id]);
    startRunner();
    const failed = await made(id, own);
    expect(failed).toMatchObject({
      state: "failed",
      canResume: true,
      error: expect.stringContaining("5 times"),
    });
    await resumeExport(scope(own), id);
    expect(await made(id, own)).toMatchObject({ state: "ready", events: 1_500 });
    await expect(resumeExport(scope(own), id)).rejects.toMatchObject({ code: "conflict" });
  });

  test("that is cancelled leaves nothing, and stays cancelled", async () => {
    const own = await newLog(1_500);
    const id = await ask({}, own);
    startRunner({ pieceSize: 20 });
    while ((await getExport(scope(own), id)).events === 0) await sleep(1);
    await cancelExport(scope(own), id);
    await expect.poll(() => filesOf(id)).toEqual([]);
    expect(await getExport(scope(own), id)).toMatchObject({ state: "cancelled", canResume: false });
  });

  test("under way while events are erased begins anew; files that are ready go", async () => {
    const own = await newLog(1_500);
    const { id: ready } = await make({}, own);
    await stopRunners();
    const id = await begun(own);
    await inTransaction(writePool(), (client) => discardFiles(client, scope(own)));
    await deleteExpiredFiles();
    await sweepFiles();
    expect([...filesOf(id), ...filesOf(ready)]).toEqual([]);
    expect(await getExport(scope(own), id)).toMatchObject({ state: "queued", events: 0 });
    expect(await getExport(scope(own), ready)).toMatchObject({ state: "expired" });
    startRunner();
    expect(await made(id, own)).toMatchObject({ state: "ready", events: 1_500 });
  });

  test("opens for links that were signed after the others were revoked", async () => {
    const { id } = await make({ q: "action:odd*" });
    (await openExport(scope(), id, { linkEpoch: 0 })).file.destroy();
    const { linksEpoch } = await revokeLinks(scope(), id);
    await expect(openExport(scope(), id, { linkEpoch: 0 })).rejects.toMatchObject({
      code: "forbidden",
    });
    (await openExport(scope(), id, { linkEpoch: linksEpoch })).file.destroy();
  });

  test("as NDJSON has each event whole, whatever stands in it", async () => {
    const { file, id } = await make({ format: "ndjson", q: "actor:usr_odd" });
    const { actor, targets, metadata, seq, ...rest } = JSON.parse(file.toString());
    expect({ actor, targets, metadata }).toEqual({
      actor: ODD.actor,
      targets: ODD.targets,
      metadata: ODD.metadata,
    });
    expect(rest).toMatchObject({
      action: "odd.event",
      organization_id: log,
      chain_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(seq).toBe(EVENTS - 1);
    const { sha256, bytes } = await getExport(scope(), id);
    expect([sha256, bytes]).toEqual([createHash("sha256").update(file).digest("hex"), file.length]);
  });

  test("as CSV has the columns that were chosen, in their order, names of keys whole", async () => {
    const columns = ["metadata.note", "ip", "actor", "target.type"];
    const { file } = await make({ q: "actor:usr_odd", options: { columns } });
    expect(file.toString().split("\n")[0]).toBe(
      "metadata.note,location,actor_name,actor_id,target.type",
    );
    expect(file.toString()).toContain(`"'=1+1 ""x"",`);
  });
});
