import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Outcome } from "@/lib/streams/destination";
import { batchOf, item, ORG } from "@/lib/streams/destinations/test-batches";
import { openDestination } from "@/lib/streams/registry";
import { GuardedTransport } from "@/lib/streams/server/transport";
import { type Azurite, startAzurite } from "./azurite";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite?.close());

const FIRST = `${ORG}/2026/11/23/14/000000000004-000000000005.ndjson.gz`;

function send(sas: string, config: object = {}, events = [item(4), item(5)]): Promise<Outcome> {
  const destination = openDestination("azure-blob", { url: azurite.url, ...config });
  const frame = destination.frame(batchOf(events), { sas });
  return destination.send(frame, { sas }, new GuardedTransport("azurite", 10_000));
}

async function list(prefix: string): Promise<string[]> {
  const { bytes } = await azurite.ask("GET", `audit?restype=container&comp=list&prefix=${prefix}`);
  return [...bytes.toString().matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name as string);
}

it("a SAS that may not read puts a blob, and once more beside it; it reads back as the batch", async () => {
  for (const count of [1, 2, 2]) {
    expect(await send(azurite.sas("cw"))).toEqual({ kind: "delivered" });
    // It may not look whether what is there is the same.
    expect(await list(ORG)).toHaveLength(count);
  }
  expect(await list(ORG)).toContain(FIRST);
  const { bytes } = await azurite.ask("GET", `audit/${FIRST}`);
  const lines = gunzipSync(bytes).toString().trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([4, 5]);
});

it("with permission to read, another content under the name is seen and left alone", async () => {
  const config = { prefix: "again" };
  const sas = azurite.sas("rcw");
  for (const _ of [1, 2]) expect(await send(sas, config)).toEqual({ kind: "delivered" });
  const other = [item(4, { chainHash: "cd".repeat(32) }), item(5)];
  for (const _ of [1, 2]) expect(await send(sas, config, other)).toEqual({ kind: "delivered" });
  expect(await list("again/")).toHaveLength(2);
});

it("what was put reads back with permission to read and to list, and is refused without", async () => {
  for (const seq of [1, 2, 3]) await send(azurite.sas("cw"), { prefix: "back" }, [item(seq)]);
  const { readBack } = openDestination("azure-blob", { url: azurite.url, prefix: "back" });
  const read = async (sas: string) => {
    const texts: (string | null)[] = [];
    const transport = new GuardedTransport("azurite", 10_000);
    for await (const { text } of readBack?.([`${ORG}/2026/11/23/`], { sas }, transport) ?? [])
      texts.push(text);
    return texts;
  };
  const texts = await read(azurite.sas("rl"));
  expect(texts.map((text) => (JSON.parse(text ?? "{}") as { seq: number }).seq)).toEqual([1, 2, 3]);
  await expect(read(azurite.sas("cw"))).rejects.toThrow("may only write");
});

it("a SAS that is wrong, has ended or may not write is named", async () => {
  const codeOf = async (outcome: Promise<Outcome>) => {
    const { kind, problem } = (await outcome) as Extract<Outcome, { kind: "config_error" }>;
    return `${kind} ${problem?.code}`;
  };
  const refused = "config_error blob_storage_Authorization";
  // Azurite says so where Azure says AuthenticationFailed.
  const wrong = azurite.sas("cw").replace(/sig=.{4}/, "sig=AAAA");
  expect(await codeOf(send(wrong))).toBe(`${refused}Failure`);
  expect(await codeOf(send(azurite.sas("cw", -60)))).toBe(`${refused}Failure`);
  expect(await codeOf(send(azurite.sas("rl")))).toBe(`${refused}PermissionMismatch`);
});
