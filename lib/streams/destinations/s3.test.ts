import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  EXTERNAL_ID,
  KEYS,
  type ObjectStore,
  ROLE,
  startObjectStore,
} from "@/e2e/fixtures/object-store";
import type { Outcome } from "../destination";
import { openDestination } from "../registry";
import { GuardedTransport } from "../server/transport";
import { batchOf, item, ORG } from "./test-batches";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const HOUR = `audit/trail/${ORG}/2026/11/23/14`;
const FIRST = `${HOUR}/000000000004-000000000005.ndjson.gz`;

let store: ObjectStore;
let turn = 0;
beforeEach(async () => {
  store = await startObjectStore("s3");
  turn += 1;
});
afterEach(() => store.close());

const configured = (config = {}) => ({
  ...{ bucket: "audit", prefix: "/trail/", endpoint: store.url, region: "eu-central-1" },
  ...config,
});
const send = (
  batch = batchOf([item(4), item(5)]),
  config: Record<string, unknown> = {},
  secrets: Record<string, string> = KEYS,
): Promise<Outcome> => {
  const destination = openDestination("s3", configured(config));
  const transport = new GuardedTransport(`test ${turn}`, 5_000);
  return destination.send(destination.frame(batch, secrets), secrets, transport);
};
const codeOf = async (outcome: Promise<Outcome>) => {
  const { kind, problem } = (await outcome) as Extract<Outcome, { problem: unknown }>;
  return `${kind} ${problem?.code}`;
};

describe("an object", () => {
  it("holds the batch as compressed lines, named by its hour and its numbers", async () => {
    expect(await send()).toEqual({ kind: "delivered" });
    expect(store.names()).toEqual([FIRST]);
    const lines = store.lines(FIRST).map((line) => JSON.parse(line) as { seq: number });
    expect(lines.map(({ seq }) => seq)).toEqual([4, 5]);
    expect(lines[0]).toMatchObject({ ...item(4).event, chain_hash: "ab".repeat(32) });
  });

  it("is put once: a range sent again after a lost answer leaves one object of the same bytes", async () => {
    store.setFault({ mode: "reset_after_storing", times: 1 });
    await expect(send()).rejects.toMatchObject({ code: "UND_ERR_SOCKET" });
    const { bytes } = store.objects.get(FIRST) ?? {};
    expect(await send()).toEqual({ kind: "delivered" });
    expect(store.names()).toEqual([FIRST]);
    expect(store.objects.get(FIRST)?.bytes).toEqual(bytes);
  });

  it("never replaces another content: it is put beside, once", async () => {
    await send();
    const erased = item(4);
    erased.event.actor = { type: "erased", id: "erased" };
    for (const _ of [1, 2])
      expect(await send(batchOf([erased, item(5)]))).toEqual({ kind: "delivered" });
    const [beside, first] = store.names();
    expect(first).toBe(FIRST);
    expect(beside).toMatch(/\/000000000004-000000000005\.[0-9a-f]{12}\.ndjson\.gz$/);
    expect(store.lines(FIRST)[0]).toContain("Zoë");
    expect(store.lines(beside as string)[0]).not.toContain("Zoë");
    expect(store.names()).toHaveLength(2);
  });

  it("that may not be read is put beside, once: what is there may be another", async () => {
    store.setFault({ mode: "write_only" });
    for (const count of [1, 2, 2]) {
      expect(await send()).toEqual({ kind: "delivered" });
      expect(store.names()).toHaveLength(count);
    }
  });

  it("is put once in a store that knows no conditions, too, which is asked for them once", async () => {
    store.setFault({ mode: "no_conditions" });
    expect(await send()).toEqual({ kind: "delivered" });
    expect(await send()).toEqual({ kind: "delivered" });
    const other = item(4, { recordedAt: "2026-11-23T14:59:59.999Z" });
    expect(await send(batchOf([other, item(5)]))).toEqual({ kind: "delivered" });
    expect(store.names()).toHaveLength(2);
    const words = store.requests.map((request) => request.split(" ")[0]).join(" ");
    expect(words).toBe("PUT HEAD PUT HEAD HEAD PUT");
  });

  it("of a test or a checkpoint lies apart", async () => {
    await send(batchOf([item(null)]));
    await send(batchOf([item(null, { kind: "checkpoint" })]));
    expect(store.names().map((name) => name.replace(`audit/trail/${ORG}/`, ""))).toEqual([
      "checkpoints/2026/11/23/14/msg_X_null-null.ndjson.gz",
      "test/2026/11/23/14/msg_X_null-null.ndjson.gz",
    ]);
  });

  it("carries lock, key and digests as asked for", async () => {
    const days = { lock: true, lockMode: "compliance", lockDays: "30", kmsKeyId: "alias/audit" };
    await send(undefined, days);
    const { headers } = store.objects.get(FIRST) ?? {};
    expect(headers).toMatchObject({
      "x-amz-object-lock-mode": "COMPLIANCE",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "alias/audit",
      "content-type": "application/gzip",
    });
    expect(headers).not.toHaveProperty("content-encoding");
    const until = Date.parse(String(headers?.["x-amz-object-lock-retain-until-date"]));
    expect(Math.round((until - Date.now()) / 86_400_000)).toBe(30);
  });
});

it("the WorkOS format has a file for each event, and says how many of them are in", async () => {
  const events = Array.from({ length: 70 }, (_, seq) => item(seq));
  const destination = openDestination("s3", configured());
  const frame = destination.frame(batchOf(events, "workos"), KEYS);
  expect(frame.count).toBe(64);
  const six = events.slice(0, 6);
  expect(await send(batchOf(six, "workos"))).toEqual({ kind: "delivered" });
  const name = "audit/trail/2026-11-23/2026-11-23T14:02:08.114Z_01KARQ9Z5W8Y3M6N2P4T7V0X00.json";
  expect(store.names()[0]).toBe(name);
  const text = String(store.objects.get(name)?.bytes);
  expect(text).toContain('{\n  "id": "01KARQ9Z5W8Y3M6N2P4T7V0X00"');
  expect(JSON.parse(text)).not.toHaveProperty("organization_id");
  store.objects.clear();
  store.setFault({ mode: "fail", failure: [503, "SlowDown"], after: 5 });
  const outcome = await send(batchOf(six, "workos"));
  expect(outcome).toMatchObject({ kind: "partial", problem: { code: "s3_SlowDown" } });
  const { accepted } = outcome as Extract<Outcome, { kind: "partial" }>;
  expect(accepted).toBeGreaterThanOrEqual(4);
  for (const { event } of six.slice(0, accepted))
    expect(store.names().join()).toContain(`_${event.id.slice("audit_event_".length)}.json`);
});

describe("credentials", () => {
  it("wrong ones are named: the key, the secret", async () => {
    const unknown = { ...KEYS, accessKeyId: "AKIANOBODY" };
    expect(await codeOf(send(undefined, {}, unknown))).toBe("config_error s3_InvalidAccessKeyId");
    const wrong = { ...KEYS, secretAccessKey: "other" };
    expect(await codeOf(send(undefined, {}, wrong))).toBe("config_error s3_SignatureDoesNotMatch");
    expect(store.names()).toEqual([]);
  });

  it("of a role come from AssumeRole with the external ID, once for many sends", async () => {
    const role = { auth: "role", roleArn: ROLE, externalId: EXTERNAL_ID };
    expect(await send(batchOf([item(1)]), role)).toEqual({ kind: "delivered" });
    expect(await send(batchOf([item(2)]), role)).toEqual({ kind: "delivered" });
    expect(store.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    expect(Object.values(Object.fromEntries(store.objects))[0]?.headers.authorization).toContain(
      "Credential=ASIASESSION/",
    );
  });

  it("a role that may not be assumed says what its trust policy needs", async () => {
    const other = { auth: "role", roleArn: ROLE, externalId: "another" };
    expect(await send(undefined, other)).toMatchObject({
      kind: "config_error",
      problem: { code: "sts_AccessDenied", advice: expect.stringContaining("sts:ExternalId") },
    });
    expect(await codeOf(send(undefined, other, { ...KEYS, secretAccessKey: "x" }))).toBe(
      "config_error sts_SignatureDoesNotMatch",
    );
  });
});

describe("the form", () => {
  const wrong = (config: object) => () => openDestination("s3", configured(config));
  it("makes an external ID for each stream, and demands the ARN of a role", () => {
    const made = [1, 2].map(() => openDestination("s3", configured()).config.externalId);
    expect(made[0]).toMatch(/^trailseal-[0-9a-f]{24}$/);
    expect(made[0]).not.toBe(made[1]);
    expect(wrong({ auth: "role" })).toThrow("config.roleArn: Enter a value.");
    expect(wrong({ bucket: "Not_a_bucket" })).toThrow("config.bucket");
    expect(wrong({ prefix: "a b" })).toThrow("config.prefix");
    expect(wrong({ prefix: "../other" })).toThrow("config.prefix");
  });

  it("leads to AWS by the bucket's name, where a certificate covers it", () => {
    const url = (bucket: string, region?: string) =>
      openDestination("s3", { bucket, region })
        .frame(batchOf([item(4)]), KEYS)
        .url.split("/org_")[0];
    expect(url("acme-audit")).toBe("https://acme-audit.s3.us-east-1.amazonaws.com");
    expect(url("acme.audit", "eu-west-1")).toBe("https://s3.eu-west-1.amazonaws.com/acme.audit");
    expect(url("acme", "cn-north-1")).toBe("https://acme.s3.cn-north-1.amazonaws.com.cn");
  });
});

describe("answers", () => {
  it.each([
    [[404, "NoSuchBucket"], "config_error s3_NoSuchBucket"],
    [[403, "AccessDenied"], "config_error s3_AccessDenied"],
    [[403, "RequestTimeTooSkewed"], "config_error s3_RequestTimeTooSkewed"],
    [[400, "InvalidRequest"], "config_error s3_InvalidRequest"],
    [[400, "NobodyKnows"], "config_error s3_NobodyKnows"],
    [[301, "PermanentRedirect", "<Region>eu-west-3</Region>"], "config_error s3_region"],
    [[400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"], "config_error s3_region"],
    [[503, "SlowDown"], "retry s3_SlowDown"],
    [[500, "InternalError"], "retry s3_InternalError"],
    [[400, "RequestTimeout"], "retry s3_RequestTimeout"],
    [[400, "ExpiredToken"], "retry s3_ExpiredToken"],
    [[409, "ConditionalRequestConflict"], "retry s3_ConditionalRequestConflict"],
    [[400, "EntityTooLarge"], "split http_400"],
  ] as const)("%j means %s", async (failure, expected) => {
    store.setFault({ mode: "fail", failure });
    expect(await codeOf(send())).toBe(expected);
  });

  it("the right region is named", async () => {
    store.setFault({
      mode: "fail",
      failure: [301, "PermanentRedirect", "<Region>eu-west-3</Region>"],
    });
    expect(await send()).toMatchObject({ problem: { advice: "Enter eu-west-3 as the region." } });
  });
});
