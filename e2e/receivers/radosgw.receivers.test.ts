import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { reconcileStream } from "@/lib/integrity/server/reconcile";
import type { Outcome } from "@/lib/streams/destination";
import { batchOf, item, ORG } from "@/lib/streams/destinations/test-batches";
import { openDestination } from "@/lib/streams/registry";
import {
  append,
  drained,
  newOrganization,
  plain,
  until,
  upTo,
  whileDelivering,
} from "@/lib/streams/server/delivery-fixtures";
import { createStream, getStream } from "@/lib/streams/server/streams";
import { GuardedTransport } from "@/lib/streams/server/transport";
import { BASE, OWNER, type Radosgw, ROLE_ARN, startRadosgw } from "./radosgw";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
let ceph: Radosgw;
beforeAll(async () => {
  db = await testDatabase();
  const started = Date.now();
  ceph = await startRadosgw();
  console.info(`Ceph was up in ${((Date.now() - started) / 1000).toFixed(1)} s`);
});
afterAll(async () => {
  await ceph?.close();
  await db.close();
});

const configured = (config: object = {}) => ({ bucket: "audit", endpoint: ceph.url, ...config });

function send(config: object = {}, keys = OWNER, seqs = [4, 5]): Promise<Outcome> {
  const destination = openDestination("s3", configured(config));
  const transport = new GuardedTransport(JSON.stringify(config), 10_000);
  const secrets = { ...keys };
  return destination.send(
    destination.frame(batchOf(seqs.map((seq) => item(seq))), secrets),
    secrets,
    transport,
  );
}

/** How many objects are read back. */
async function readBack(config: object, keys: typeof OWNER): Promise<number> {
  const { readBack: read } = openDestination("s3", configured(config));
  const transport = new GuardedTransport(`read ${JSON.stringify(config)}`, 10_000);
  let objects = 0;
  for await (const _ of read?.([`${ORG}/2026/11/23/`], { ...keys }, transport) ?? []) objects += 1;
  return objects;
}

/** Names under a prefix; none of the tests has a page of more than 1,000. */
async function list(bucket: string, prefix: string): Promise<string[]> {
  const { body } = await ceph.ask("GET", `${bucket}/?list-type=2&prefix=${prefix}`);
  return [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key as string);
}

const seqsIn = async (bucket: string, key: string) =>
  gunzipSync((await ceph.ask("GET", `${bucket}/${key}`)).bytes)
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { seq: number }).seq);

describe("access keys", () => {
  it("put an object that reads back as the batch", async () => {
    expect(await send()).toEqual({ kind: "delivered" });
    const key = `${ORG}/2026/11/23/14/000000000004-000000000005.ndjson.gz`;
    expect(await list("audit", ORG)).toEqual([key]);
    expect(await seqsIn("audit", key)).toEqual([4, 5]);
  });

  it("that are wrong are named, so are a missing bucket and one of somebody else", async () => {
    const refused = async (code: string, outcome: Promise<Outcome>) =>
      expect(await outcome).toMatchObject({ kind: "config_error", problem: { code } });
    // Once this gateway has an STS, it says the same of wrong secrets and unknown keys.
    await refused("s3_AccessDenied", send({}, { ...OWNER, secretAccessKey: "no" }));
    await refused("s3_AccessDenied", send({}, { ...OWNER, accessKeyId: "NOBODY" }));
    await refused("s3_AccessDenied", send({}, BASE));
    await refused("s3_NoSuchBucket", send({ bucket: "missing" }));
  });
});

it("a range that is sent again is refused by the store and counts as delivered; another content goes beside", async () => {
  const config = { prefix: "kind=again" };
  for (const _ of [1, 2, 3]) expect(await send(config)).toEqual({ kind: "delivered" });
  expect(await list("audit", "kind=again/")).toHaveLength(1);
  expect(await readBack(config, OWNER)).toBe(1);
  const key = (await list("audit", "kind=again/"))[0] as string;
  await ceph.ask("PUT", `audit/${key}`, OWNER, "somebody else's");
  expect(await send(config)).toEqual({ kind: "delivered" });
  const [beside, kept] = await list("audit", "kind=again/");
  expect((await ceph.ask("GET", `audit/${kept}`)).body).toBe("somebody else's");
  expect(await seqsIn("audit", beside as string)).toEqual([4, 5]);
});

it("object lock in compliance mode: even the bucket's owner cannot delete the object", async () => {
  const lock = { bucket: "locked", lock: true, lockMode: "compliance", lockDays: 2 };
  expect(await send(lock)).toEqual({ kind: "delivered" });
  const [key] = await list("locked", ORG);
  const { body } = await ceph.ask("GET", "locked/?versions");
  const version = /<VersionId>([^<]*)</.exec(body)?.[1];
  const head = await ceph.ask("HEAD", `locked/${key}?versionId=${version}`);
  expect(head.headers["x-amz-object-lock-mode"]).toBe("COMPLIANCE");
  expect((await ceph.ask("DELETE", `locked/${key}?versionId=${version}`)).status).toBe(403);
  expect(await send({ ...lock, bucket: "audit", prefix: "unlocked" })).toMatchObject({
    kind: "config_error",
  });
});

it("a role that may only put: its keys deliver, and open nothing else", async () => {
  const role = { auth: "role", roleArn: ROLE_ARN, prefix: "role", region: "default" };
  for (const count of [1, 2, 2]) {
    expect(await send(role, BASE)).toEqual({ kind: "delivered" });
    // It may not look whether what is there is the same.
    expect(await list("audit", "role/")).toHaveLength(count);
  }
  await expect(readBack(role, BASE)).rejects.toThrow("may only write");
  expect(await send({ ...role, bucket: "other" }, BASE)).toMatchObject({
    problem: { code: "s3_AccessDenied" },
  });
  expect(await send({ ...role, roleArn: "arn:aws:iam:::role/none" }, BASE)).toMatchObject({
    kind: "config_error",
  });
  expect(await send({ ...role, prefix: "owner" }, { ...OWNER })).toMatchObject({
    problem: { code: "sts_AccessDenied" },
  });
});

it("a gateway killed in the middle and started again: every event lies there once, in order", async () => {
  const scope = await newOrganization();
  await append(scope, plain(6_000));
  const saved = await createStream(scope, {
    ...{ name: "Ceph", destination: "s3", from: "start", secrets: { ...OWNER } },
    config: configured({ prefix: "killed" }),
  });
  const { id } = saved.stream;
  const prefix = `killed/${scope.organizationId}/`;
  await whileDelivering(async () => {
    await until("some objects", async () => (await getStream(scope, id)).delivered > 500);
    await ceph.kill();
    await until("the failure", async () => (await getStream(scope, id)).state === "degraded");
    expect((await getStream(scope, id)).lagEvents).toBeGreaterThan(0);
    await ceph.start();
    await drained(scope, id);
  });
  const seqs: number[] = [];
  for (const key of await list("audit", prefix)) seqs.push(...(await seqsIn("audit", key)));
  // The event that tells of the stream comes after those that were there.
  expect(seqs).toEqual([0, ...upTo(6_000)]);
  expect(await reconcileStream(scope, id)).toMatchObject({
    ...{ fromSeq: 0, toSeq: 6_001, events: 6_001, finding: null, error: null },
  });
  const [, second] = await list("audit", prefix);
  await ceph.ask("DELETE", `audit/${second}`);
  const { finding } = await reconcileStream(scope, id, { whole: true });
  expect(finding).toMatchObject({ kind: "missing", seq: Number(second?.match(/(\d{12})-/)?.[1]) });
});
