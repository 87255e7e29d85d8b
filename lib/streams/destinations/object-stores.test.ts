import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  KEYS,
  type ObjectStore,
  SAS,
  serviceAccountAt,
  startObjectStore,
} from "@/e2e/fixtures/object-store";
import type { Outcome } from "../destination";
import { openDestination, parseSecret } from "../registry";
import { GuardedTransport } from "../server/transport";
import { batchOf, item, ORG } from "./test-batches";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

type Id = "gcs" | "azure-blob";
interface Case {
  id: Id;
  config: (url: string) => object;
  secrets: (url: string) => Record<string, string>;
  /** The same, not right. */
  wrong: (url: string) => Record<string, string>;
  /** Of what they are answered with. */
  code: string;
}
const gcsConfig = (auth: string) => (url: string) => ({
  ...{ endpoint: url, bucket: "audit", prefix: "trail", auth },
});
const CASES: Record<string, Case> = {
  "gcs by an HMAC key": {
    id: "gcs",
    config: gcsConfig("hmac"),
    secrets: () => KEYS,
    wrong: () => ({ ...KEYS, secretAccessKey: "another" }),
    code: "cloud_storage_SignatureDoesNotMatch",
  },
  "gcs by a service account": {
    id: "gcs",
    config: gcsConfig("account"),
    secrets: (url) => ({ serviceAccount: serviceAccountAt(url) }),
    wrong: (url) => ({ serviceAccount: serviceAccountAt(url).replace("audit@", "other@") }),
    code: "google_invalid_grant",
  },
  "azure-blob": {
    id: "azure-blob",
    config: (url) => ({ url: `${url}/audit`, prefix: "trail" }),
    secrets: () => ({ sas: SAS }),
    wrong: () => ({ sas: SAS.replace("c2ln", "x") }),
    code: "blob_storage_AuthenticationFailed",
  },
};
const FIRST = `audit/trail/${ORG}/2026/11/23/14/000000000004-000000000005.ndjson.gz`;

describe.each(Object.keys(CASES))("%s", (name) => {
  const { id, config, secrets, wrong, code } = CASES[name] as Case;
  let store: ObjectStore;
  beforeEach(async () => {
    store = await startObjectStore(id === "gcs" ? "gcs" : "azure");
  });
  afterEach(() => store.close());

  const send = (
    batch = batchOf([item(4), item(5)]),
    given = secrets(store.url),
  ): Promise<Outcome> => {
    const destination = openDestination(id, config(store.url));
    const frame = destination.frame(batch, given);
    return destination.send(frame, given, new GuardedTransport(store.url, 5_000));
  };

  it("a range sent again leaves one object; another content goes beside", async () => {
    for (const _ of [1, 2]) expect(await send()).toEqual({ kind: "delivered" });
    expect(store.names()).toEqual([FIRST]);
    expect(store.lines(FIRST).map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([
      4, 5,
    ]);
    const other = item(4, { chainHash: "cd".repeat(32) });
    for (const _ of [1, 2])
      expect(await send(batchOf([other, item(5)]))).toEqual({ kind: "delivered" });
    expect(store.names()).toHaveLength(2);
    expect(store.lines(FIRST)[0]).not.toContain("cdcd");
  });

  it("credentials that may only write deliver, another content under the same name too", async () => {
    store.setFault({ mode: "write_only" });
    expect(await send()).toEqual({ kind: "delivered" });
    expect(store.names()).toEqual([FIRST]);
    const other = item(4, { recordedAt: "2026-11-23T14:59:59.999Z" });
    for (const _ of [1, 2]) {
      expect(await send(batchOf([other, item(5)]))).toEqual({ kind: "delivered" });
      expect(store.names()).toHaveLength(2);
    }
  });

  it("what was put reads back, page by page, where reading is permitted", async () => {
    for (const seq of [1, 2, 3, 4, 5]) await send(batchOf([item(seq)]));
    const { readBack } = openDestination(id, config(store.url));
    const prefixes = [`${ORG}/2026/11/22/`, `${ORG}/2026/11/23/`];
    const read = async () => {
      const texts: (string | null)[] = [];
      const transport = new GuardedTransport(store.url, 5_000);
      for await (const { text } of readBack?.(prefixes, secrets(store.url), transport) ?? [])
        texts.push(text);
      return texts;
    };
    const seqs = (await read()).map((text) => (JSON.parse(text ?? "{}") as { seq: number }).seq);
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
    store.setFault({ mode: "write_only" });
    await expect(read()).rejects.toThrow("may only write");
  });

  it("a busy store is tried again, a bucket that is not there is not", async () => {
    store.setFault({ mode: "fail", failure: [503, "ServerBusy"] });
    expect((await send()).kind).toBe("retry");
    store.setFault({
      mode: "fail",
      failure: [404, id === "gcs" ? "NoSuchBucket" : "ContainerNotFound"],
    });
    expect(await send()).toMatchObject({
      kind: "config_error",
      problem: { advice: expect.stringContaining("Create the") },
    });
  });

  it("wrong credentials are named", async () => {
    expect(await send(undefined, wrong(store.url))).toMatchObject({
      ...{ kind: "config_error", problem: { code } },
    });
  });
});

it("gcs: files of the WorkOS format have no folder for the day", () => {
  const destination = openDestination("gcs", gcsConfig("hmac")("https://storage.example.com"));
  const frame = destination.frame(batchOf([item(7)], "workos"), KEYS);
  expect(frame.parts?.[0]?.url).toBe(
    "https://storage.example.com/audit/trail/2026-11-23T14%3A02%3A08.114Z_01KARQ9Z5W8Y3M6N2P4T7V0X07.json",
  );
});

it("a token serves until it ends, or something fails that another may cure", async () => {
  const store = await startObjectStore("gcs");
  try {
    const destination = openDestination("gcs", gcsConfig("account")(store.url));
    const secrets = { serviceAccount: serviceAccountAt(store.url) };
    const send = (seq: number) => {
      const frame = destination.frame(batchOf([item(seq)]), secrets);
      return destination.send(frame, secrets, new GuardedTransport(store.url, 5_000));
    };
    const tokens = () => store.requests.filter((request) => request === "POST token").length;
    for (const seq of [1, 2]) expect(await send(seq)).toEqual({ kind: "delivered" });
    expect(tokens()).toBe(1);
    store.setFault({ mode: "fail", failure: [401, "AuthenticationRequired"], times: 1 });
    expect(await send(3)).toEqual({ kind: "delivered" });
    expect(tokens()).toBe(2);
    store.setFault({ mode: "fail", failure: [401, "AuthenticationRequired"] });
    expect((await send(4)).kind).toBe("config_error");
  } finally {
    await store.close();
  }
});

it("a service account's key file is taken whole or not at all", () => {
  const parse = (text: string) => parseSecret("gcs", "serviceAccount", text);
  const file = serviceAccountAt("https://oauth2.example.com");
  expect(JSON.parse(parse(file))).toMatchObject({ client_email: expect.any(String) });
  expect(parse(file)).not.toContain("project_id");
  const ed25519 = generateKeyPairSync("ed25519").privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  for (const wrong of [
    file.slice(1),
    serviceAccountAt("x"),
    "{}",
    serviceAccountAt("https://x.example", "authorized_user"),
    JSON.stringify({ ...JSON.parse(file), private_key: ed25519 }),
  ])
    expect(() => parse(wrong)).toThrow("key file whole");
});

describe("a shared access signature", () => {
  const azure = openDestination("azure-blob", { url: "https://a.blob.core.windows.net/audit" });

  it("is taken alone or with its URL, and says when it ends", () => {
    expect(azure.parseSecret("sas", `https://a.blob.core.windows.net/audit?${SAS}`)).toBe(SAS);
    expect(azure.parseSecret("sas", `?${SAS}`)).toBe(SAS);
    expect(azure.secretExpiresAt("sas", SAS)?.toISOString()).toBe("2999-01-01T00:00:00.000Z");
    expect(azure.secretExpiresAt("sas", "si=policy&sig=x")).toBe(null);
  });

  it("that has ended, cannot write or is none is refused at the form", () => {
    const refused = (sas: string) => () => azure.parseSecret("sas", sas);
    expect(refused(SAS.replace("2999", "2020"))).toThrow("expired at 2020-01-01");
    expect(refused(SAS.replace("sp=cw", "sp=rl"))).toThrow("permits rl");
    expect(refused("whatever")).toThrow("shared access signature");
    expect(() =>
      openDestination("azure-blob", { url: `https://a.blob.core.windows.net/audit?${SAS}` }),
    ).toThrow("config.url");
    expect(() => openDestination("azure-blob", { url: "https://a.blob.core.windows.net" })).toThrow(
      "config.url",
    );
  });

  it("that ends while the stream runs says so", async () => {
    const store = await startObjectStore("azure");
    const destination = openDestination(
      "azure-blob",
      (CASES["azure-blob"] as Case).config(store.url),
    );
    const secrets = { sas: SAS.replace("2999", "2020") };
    const frame = destination.frame(batchOf([item(1)]), secrets);
    const outcome = await destination.send(frame, secrets, new GuardedTransport(store.url, 5_000));
    await store.close();
    expect(outcome).toMatchObject({
      kind: "config_error",
      problem: { code: "blob_storage_expired", advice: expect.stringContaining("another SAS") },
    });
  });
});
