import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "@/e2e/fixtures/receiver";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import {
  addStream,
  append,
  drained,
  newOrganization,
  plain,
  received,
  TOKEN,
  until,
  whileDelivering,
} from "./delivery-fixtures";
import { claim } from "./lease";
import type { LogEvent } from "./log-events";
import { Source } from "./read-batch";
import {
  createStream,
  deleteStream,
  getStream,
  listStreams,
  pauseStream,
  resumeStream,
  updateStream,
} from "./streams";
import { testStream } from "./test-stream";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
let receiver: Receiver;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-deliver-"));

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  receiver = await startReceiver({
    file: path.join(directory, `${newId("job")}.ndjson`),
    token: TOKEN,
  });
});
afterEach(() => receiver.close());

describe("stream records", () => {
  it("a stream from a time on begins with the first event that was received then", async () => {
    const scope = await newOrganization();
    await append(scope, plain(40));
    await db.app.query("SELECT pg_sleep(0.02)");
    await append(scope, plain(3));
    const { rows } = await db.app.query<{ at: Date }>(
      "SELECT recorded_at AS at FROM events WHERE organization_id = $1 AND seq = 40",
      [scope.organizationId],
    );
    const begins = async (from: string) =>
      (await getStream(scope, await addStream(receiver, scope, "webhook", { from }))).cursorSeq;
    expect(await begins(rows[0]?.at.toISOString() as string)).toBe(40);
    expect(await begins("2026-01-01T00:00:00Z")).toBe(0);
    // Behind the events that tell of the two: only what tells of itself follows.
    expect(await begins("2999-01-01T00:00:00Z")).toBe(45);
  });

  it("a configuration that this version cannot deliver with leaves the others in the list, says why, and is mended by saving", async () => {
    const scope = await newOrganization();
    const broken = await addStream(receiver, scope, "webhook");
    await addStream(receiver, scope, "webhook");
    await db.app.query(`UPDATE streams SET config = '{"url": "ftp://x"}' WHERE id = $1`, [broken]);
    const [first, second] = await listStreams(scope);
    expect(first).toMatchObject({ id: broken, config: { url: "ftp://x" } });
    expect(first?.description).toMatch(/https/);
    expect(second?.description).toContain(receiver.url);
    const config = second?.config ?? {};
    const input = { id: broken, name: "Mended", config, secrets: {} };
    await expect(updateStream(scope, input)).rejects.toThrow(/again/);
    const secrets = { signing_secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}` };
    expect((await updateStream(scope, { ...input, secrets })).stream).toMatchObject({ config });
  });

  it("another organization sees and changes nothing of a stream", async () => {
    const [owner, stranger] = [await newOrganization(), await newOrganization()];
    const id = await addStream(receiver, owner, "webhook");
    expect(await listStreams(stranger)).toEqual([]);
    for (const act of [getStream, pauseStream, resumeStream, deleteStream, testStream]) {
      await expect(act(stranger, id)).rejects.toThrow("There is no such stream");
    }
    expect(await listStreams(owner)).toHaveLength(1);
  });

  it("every change of a stream is an event of the log, with who made it and never a secret", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    await updateStream(scope, {
      ...{ id, name: "SOC 2", secrets: { token: "another-token-9999" }, filter: "action:user.*" },
      config: { url: receiver.url, index: "audit" },
    });
    await pauseStream(scope, id);
    await resumeStream(scope, id);
    await deleteStream(scope, id);
    const { rows } = await db.app.query(
      "SELECT action, actor, targets, metadata FROM events WHERE organization_id = $1 ORDER BY seq",
      [scope.organizationId],
    );
    expect(rows.map(({ action }) => action.replace("trailseal.stream_", ""))).toEqual([
      "created",
      "updated",
      "paused",
      "resumed",
      "deleted",
    ]);
    expect(new Set(rows.map(({ actor }) => actor.id))).toEqual(new Set(["cli"]));
    expect(rows.map(({ targets }) => targets)).toEqual(
      ["SOC", "SOC", "SOC 2", "SOC 2", "SOC 2"].map((name) => [{ type: "stream", id, name }]),
    );
    expect(rows[0].metadata).toMatchObject({ destination: "splunk", from: "now" });
    expect(rows[1].metadata.changed).toBe("name, filter, config.index, secrets.token");
    expect(rows[4].metadata).toEqual({ cursor_seq: "1", delivered: "0" });
    expect(JSON.stringify(rows)).not.toMatch(/9999|41c9/);
  });

  it("a change that fails leaves no event, an event that fails no change", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    const name = "another";
    const input = { id, name, config: { url: receiver.url.replace("127.0.0.1", "localhost") } };
    await expect(updateStream(scope, { ...input, secrets: {} })).rejects.toThrow("another host");
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [
      scope.organizationId,
    ]);
    await expect(pauseStream(scope, id)).rejects.toThrow("Organization not found");
    expect(await getStream(scope, id)).toMatchObject({ state: "active", name: "SOC", headSeq: 1 });
  });

  it("secrets are stored sealed and come back as their last four characters", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    const { rows } = await db.app.query("SELECT secrets::text FROM streams WHERE id = $1", [id]);
    expect(rows[0].secrets).not.toContain(TOKEN);
    const [stream] = await listStreams(scope);
    expect(stream?.secrets.token).toMatchObject({ set: true, last4: "41c9" });
    expect(JSON.stringify(stream)).not.toContain(TOKEN);
  });

  it("another host demands the secrets again; another path does not", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    const other = { url: receiver.url.replace("127.0.0.1", "localhost") };
    const input = { id, name: "SOC", secrets: {} };
    await expect(updateStream(scope, { ...input, config: other })).rejects.toThrow("another host");
    await updateStream(scope, { ...input, config: { url: receiver.url, index: "audit" } });
    await updateStream(scope, {
      ...input,
      config: other,
      secrets: { token: "another-token-9999" },
    });
    expect((await getStream(scope, id)).secrets.token?.last4).toBe("9999");
  });

  it("a stream from now on forwards only what comes later", async () => {
    const scope = await newOrganization();
    await append(scope, plain(5));
    const { stream } = await createStream(scope, {
      destination: "webhook",
      name: "Hook",
      from: "now",
      config: { url: `${receiver.url}/hook`, format: "ndjson", headers: ["X-Team"] },
      secrets: { "header:X-Team": "blue" },
    });
    await append(scope, plain(2));
    await whileDelivering(() => drained(scope, stream.id));
    expect(receiver.stored().map(({ seq }) => seq)).toEqual([6, 7]);
    expect(receiver.lastRequest().headers["x-team"]).toBe("blue");
  });

  it("a private address is refused when the stream is saved", async () => {
    const scope = await newOrganization();
    const config = { url: "https://169.254.169.254/", format: "json" as const, headers: [] };
    const input = { destination: "webhook" as const, name: "x", from: "now" as const, secrets: {} };
    await expect(createStream(scope, { ...input, config })).rejects.toThrow("not a public address");
  });

  it("a deleted stream is gone from the list, sends nothing and keeps no secret", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(3));
    await deleteStream(scope, id);
    await whileDelivering(() => new Promise((resolve) => setTimeout(resolve, 200)));
    expect(receiver.stored()).toEqual([]);
    expect(await listStreams(scope)).toEqual([]);
    const { rows } = await db.app.query("SELECT secrets FROM streams WHERE id = $1", [id]);
    expect(rows[0].secrets).toEqual({});
  });

  it("a test sends one labelled event outside the chain and explains a refusal", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    expect(await testStream(scope, id)).toMatchObject({ ok: true, status: 200, problem: null });
    expect(receiver.stored()).toMatchObject([
      { seq: null, action: "trailseal.test", chainHash: null },
    ]);
    const body = JSON.stringify({ text: "Incorrect index", code: 7 });
    receiver.setFault({ mode: "status", status: 400, body, times: 1 });
    const refused = await testStream(scope, id);
    expect(refused).toMatchObject({
      ok: false,
      status: 400,
      problem: { code: "hec_7" },
      reply: body,
    });
    expect(refused.problem?.advice).toContain("index");
    expect(await getStream(scope, id)).toMatchObject({ delivered: 0, lastError: null });
  });

  it("a lost envelope key is an error that names the cure; entering the secret again resumes", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    await append(scope, plain(3));
    await db.app.query(
      "UPDATE streams SET secrets = jsonb_set(secrets, '{token,kek_id}', '\"lost\"')",
    );
    await whileDelivering(async () => {
      await until("the error", async () => (await getStream(scope, id)).state === "error");
      expect((await getStream(scope, id)).lastError?.code).toBe("secret_unreadable");
      expect((await testStream(scope, id)).problem?.code).toBe("secret_unreadable");
      const secrets = { token: TOKEN };
      await updateStream(scope, { id, name: "SOC", config: { url: receiver.url }, secrets });
      await drained(scope, id);
    });
    expect(received(receiver)).toHaveLength(3);
  });

  it("rows missing from the log stop the stream visibly instead of looking delivered", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(3));
    await db.app.query("UPDATE log_heads SET next_seq = 6 WHERE organization_id = $1", [
      scope.organizationId,
    ]);
    await whileDelivering(async () => {
      await until("the notice", async () => (await getStream(scope, id)).state === "degraded");
    });
    expect(await getStream(scope, id)).toMatchObject({
      cursorSeq: 4,
      lagEvents: 2,
      lastError: { code: "events_missing" },
    });
  });

  it("an erased actor or target leaves as erased, so that the event still satisfies its schema", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(1));
    // Only what is null in its place is erased, and what is kept leaves as it was sealed.
    const kept =
      '{"id": "[\\"null\\", {", "type": "null", "metadata": {"n": 123456789012345678901, "no": [null]}}';
    await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
    await db.owner.query(
      "UPDATE events SET actor = NULL, targets = $1, metadata = NULL, erased = '{}'",
      [`[null, ${kept}, null]`],
    );
    await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
    const lease = await claim(
      { organizationId: scope.organizationId, streamId: id, lane: "live" },
      "test",
      1_000,
    );
    if (!lease) throw new Error("not claimed");
    const erased = { type: "erased", id: "erased" };
    const piece = await new Source(lease, null).next(10, 2);
    const [first] = piece?.events ?? [];
    expect(first?.event).toMatchObject({
      actor: erased,
      targets: [erased, JSON.parse(kept), erased],
    });
    const { block, start, end } = (first as LogEvent).envelope;
    expect(Buffer.from(block).toString("utf8", start, end)).toContain("123456789012345678901");
    expect(first?.event).not.toHaveProperty("metadata");
  });

  it("a stream that failed for seven days is switched off and keeps its place", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(3));
    await db.app.query(
      "UPDATE stream_state SET first_failure_at = now() - interval '8 days' WHERE stream_id = $1",
      [id],
    );
    receiver.setFault({ mode: "status", status: 503 });
    await whileDelivering(async () => {
      await until("the stop", async () => (await getStream(scope, id)).state === "disabled");
      receiver.setFault({ mode: "ok" });
      await resumeStream(scope, id);
      await drained(scope, id);
    });
    expect(received(receiver)).toHaveLength(3);
  });

  it("lag counts waiting events and the age of the oldest", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(4));
    await new Promise((resolve) => setTimeout(resolve, 120));
    const stream = await getStream(scope, id);
    expect(stream.lagEvents).toBe(4);
    expect(stream.lagS).toBeGreaterThan(0.1);
    expect(stream.lagS).toBeLessThan(30);
  });
});
