import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { envelopeKeys } from "@/lib/envelope";
import { newOrganization } from "./delivery-fixtures";
import { loadStream } from "./load-stream";
import { rotateEnvelope } from "./rotate-envelope";
import { rotateSecret } from "./rotate-secret";
import { createStream } from "./streams";

let db: TestDatabase;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-envelope-"));

beforeAll(async () => {
  db = await testDatabase();
  Object.assign(getEnv(), { TRAILSEAL_DATA_DIR: directory });
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

async function addStreams(count: number) {
  const scope = await newOrganization();
  const { organizationId } = scope;
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const { stream } = await createStream(scope, {
        ...{ destination: "splunk", name: `SOC ${at}`, from: "now" },
        config: { url: "https://splunk.example.com:8088" },
        secrets: { token: `token-number-${at}` },
      });
      return { scope, key: { organizationId, streamId: stream.id, lane: "live" }, at };
    }),
  );
}

const files = () => fs.readdirSync(path.join(directory, "secrets")).sort();

it("stopped between any two steps, every secret opens; run again, all are under the new key and the old is gone", async () => {
  const streams = await addStreams(4);
  const allOpen = async () => {
    for (const { key, at } of streams)
      expect((await loadStream(key))?.secrets).toEqual({ token: `token-number-${at}` });
  };
  await allOpen();
  for (let stop = 0; ; stop += 1) {
    const [before] = envelopeKeys();
    let steps = 0;
    const onStep = () => {
      if (steps++ === stop) throw new Error("stopped");
    };
    const stopped = await rotateEnvelope({ settleMs: 0, onStep }).then(
      () => false,
      (error: Error) => error.message === "stopped",
    );
    await allOpen();
    if (!stopped) {
      expect(steps).toBe(6);
      break;
    }
    const [present] = envelopeKeys();
    await rotateEnvelope({ settleMs: 0 });
    await allOpen();
    expect(envelopeKeys()).toEqual([present]);
    expect(present.id).not.toBe(before.id);
    expect(files()).toEqual(["envelope"]);
    const { rows } = await db.app.query(
      "SELECT DISTINCT secrets -> 'token' ->> 'kek_id' AS id FROM streams",
    );
    expect(rows).toEqual([{ id: present.id }]);
  }
});

it("a stop between the two files is told from a finished replacement", async () => {
  const [{ scope, key }] = (await addStreams(1)) as [
    Awaited<ReturnType<typeof addStreams>>[number],
  ];
  const secrets = path.join(directory, "secrets");
  fs.linkSync(path.join(secrets, "envelope"), path.join(secrets, "envelope.previous"));
  const [before] = envelopeKeys();
  const { kekId } = await rotateEnvelope({ settleMs: 0 });
  expect(kekId).not.toBe(before.id);
  expect((await loadStream(key))?.secrets.token).toBe("token-number-0");
  await rotateSecret(scope, { id: key.streamId, name: "token", value: "entered-later-1234" });
  expect((await loadStream(key))?.secrets).toEqual({ token: "entered-later-1234" });
});

it("the signing secret before a rotation is wrapped anew with the present one", async () => {
  const scope = await newOrganization();
  const { stream, generatedSecrets } = await createStream(scope, {
    ...{ destination: "webhook", name: "Hook", from: "now", secrets: {} },
    config: { url: "https://siem.example.com/hook" },
  });
  const { generatedSecrets: fresh } = await rotateSecret(scope, {
    id: stream.id,
    name: "signing_secret",
  });
  await rotateEnvelope({ settleMs: 0 });
  const key = { organizationId: scope.organizationId, streamId: stream.id, lane: "live" };
  expect((await loadStream(key))?.secrets).toEqual({
    signing_secret: fresh.signing_secret,
    "previous:signing_secret": generatedSecrets.signing_secret,
  });
});

it("secrets that no key opens are named, and stand in nobody's way", async () => {
  const [{ key }] = (await addStreams(1)) as [Awaited<ReturnType<typeof addStreams>>[number]];
  await db.app.query(
    "UPDATE streams SET secrets = jsonb_set(secrets, '{token,kek_id}', '\"lost\"') WHERE id = $1",
    [key.streamId],
  );
  expect((await rotateEnvelope({ settleMs: 0 })).unreadable).toEqual([key.streamId]);
  expect(files()).toEqual(["envelope"]);
});
