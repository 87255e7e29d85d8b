import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BatchOutcome, EventList } from "@/lib/api/schema";
import * as api from "@/lib/api/schema";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
// biome-ignore lint/style/noRestrictedImports: a test makes its own database.
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createApiKey } from "@/lib/keys/server/api-keys";
import { createOrganization } from "@/lib/orgs/server/organizations";
import * as one from "./events/[id]/route";
import * as batch from "./events/batch/route";
import * as events from "./events/route";
import * as organizations from "./organizations/route";
import * as streams from "./streams/route";
import * as verification from "./verification/route";

let db: TestDatabase;
let key: string;

beforeAll(async () => {
  db = await testDatabase();
  key = (await createApiKey(systemInstanceScope("cli"), { name: "k", permissions: ["admin"] })).key;
});

afterAll(() => db.close());

async function newOrganization(): Promise<string> {
  return (await createOrganization(systemInstanceScope("cli"), { name: "Acme" })).id;
}

function ask(query: Record<string, string>, init: RequestInit = {}): Request {
  const url = `http://localhost/?${new URLSearchParams(query)}`;
  return new Request(url, {
    ...init,
    headers: { authorization: `Bearer ${key}`, ...init.headers },
  });
}

const event = (n: number, more: object = {}) => ({
  action: n % 2 ? "user.signed_in" : "doc.read",
  occurred_at: new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString(),
  actor: { type: "user", id: `u${n}` },
  targets: [{ type: "doc", id: "d1" }],
  metadata: { n },
  ...more,
});

async function send(query: Record<string, string>, body: string, type = "application/json") {
  const headers = { "content-type": type };
  const response = await batch.POST(ask(query, { method: "POST", body, headers }));
  const answer = await response.json();
  return { status: response.status, answer, data: answer.data as BatchOutcome[] };
}

const storedIn = async (organization_id: string) =>
  Number(
    (
      await db.owner.query("SELECT count(*) FROM events WHERE organization_id = $1", [
        organization_id,
      ])
    ).rows[0].count,
  );

describe("a batch", () => {
  it("has an outcome per event, and stores the good ones", async () => {
    const organization_id = await newOrganization();
    const items = [{ event: event(1) }, { event: { action: "x" } }, 7, { event: event(2) }];
    const { status, answer, data } = await send({ organization_id }, JSON.stringify(items));
    expect(status).toBe(200);
    api.batchResult.parse(answer);
    expect(data.map((outcome) => outcome.status)).toEqual([
      "stored",
      "invalid",
      "invalid",
      "stored",
    ]);
    expect(await storedIn(organization_id)).toBe(2);
  });

  it("of lines, sent again, is all duplicates with the same receipts", async () => {
    const organization_id = await newOrganization();
    const lines = [1, 2, 3].map((n) => JSON.stringify({ idempotency_key: "k", event: event(n) }));
    const query = { organization_id, receipts: "true" };
    const first = await send(query, `${lines.join("\n")}\n`, "application/x-ndjson");
    const again = await send(query, lines.join("\n"), "application/x-ndjson");
    expect(first.data.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(again.data).toEqual(first.data.map((o) => ({ ...o, status: "duplicate" })));
    const { rows } = await db.owner.query(
      "SELECT id, encode(chain_hash, 'hex') AS chain_hash FROM events WHERE organization_id = $1 ORDER BY seq",
      [organization_id],
    );
    expect(first.data.map(({ id, chain_hash }) => ({ id, chain_hash }))).toEqual(rows);
  });

  it("that is atomic stores all or nothing, and says where it is wrong", async () => {
    const organization_id = await newOrganization();
    const query = { organization_id, atomic: "true" };
    const bad = await send(
      query,
      JSON.stringify([{ event: event(1) }, { event: { action: "x" } }]),
    );
    expect(bad.status).toBe(422);
    expect(bad.answer.errors[0].field).toMatch(/^1\.event\./);
    expect(await storedIn(organization_id)).toBe(0);
    const all = Array.from({ length: 1_000 }, (_, n) => ({ event: event(n) }));
    expect((await send(query, JSON.stringify(all))).status).toBe(200);
    expect(await storedIn(organization_id)).toBe(1_000);
  });

  it.each([
    ["{}", 400],
    ["nonsense", 400],
    [JSON.stringify(Array(1_001).fill({})), 413],
    [" ".repeat(5_000_001), 413],
  ])("that is none is refused (%#)", async (body, status) => {
    expect((await send({ organization_id: await newOrganization() }, body)).status).toBe(status);
  });

  it("reaches only an organization that there is", async () => {
    expect((await send({ organization_id: "org_unknown" }, "[]")).status).toBe(404);
    expect((await send({}, "[]")).status).toBe(422);
  });
});

describe("reading", () => {
  it("reaches every event once by its cursors, by the filter language, whole", async () => {
    const organization_id = await newOrganization();
    const sent = Array.from({ length: 23 }, (_, n) => ({ event: event(n) }));
    await send({ organization_id }, JSON.stringify(sent));
    const seen: unknown[] = [];
    let after: string | null = null;
    do {
      const cursor: Record<string, string> = after ? { after } : {};
      const query = { organization_id, q: "action:user.signed_in", limit: "4", ...cursor };
      const response = await events.GET(ask(query));
      const page: EventList = api.eventList.parse(await response.json());
      seen.push(...page.data.map(({ event }) => event.metadata?.n));
      after = page.list_metadata.after;
    } while (after);
    expect(seen).toEqual([21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1]);
  });

  it("gives one event with its place in the chain, and nobody else's", async () => {
    const [organization_id, other] = [await newOrganization(), await newOrganization()];
    const { data } = await send(
      { organization_id, receipts: "true" },
      JSON.stringify([{ event: event(1) }]),
    );
    const params = Promise.resolve({ id: data[0]?.id as string });
    const response = await one.GET(ask({ organization_id }), { params });
    expect(api.eventDetail.parse(await response.json()).chain_hash).toBe(data[0]?.chain_hash);
    expect((await one.GET(ask({ organization_id: other }), { params })).status).toBe(404);
  });

  it("makes an organization with the id that it has elsewhere, once", async () => {
    const id = `org_${"Z".repeat(26)}`;
    const create = (body: object) =>
      organizations.POST(ask({}, { method: "POST", body: JSON.stringify(body) }));
    const made = await create({ id, name: "Brought" });
    expect([made.status, api.newOrganization.parse(await made.json())]).toEqual([
      201,
      { object: "organization", id, name: "Brought" },
    ]);
    expect((await create({ id, name: "Again" })).status).toBe(409);
    const wrong = await create({ id: "org_1", name: "" });
    expect([wrong.status, await wrong.json()]).toMatchObject([
      422,
      { errors: [{ field: "name" }, { field: "id" }] },
    ]);
  });

  it("shows streams and how far the log is proven", async () => {
    const organization_id = await newOrganization();
    const listed = await streams.GET(ask({ organization_id }));
    expect(api.streamList.parse(await listed.json()).data).toEqual([]);
    const status = await verification.GET(ask({ organization_id }));
    expect(api.verificationStatus.parse(await status.json())).toMatchObject({
      events: 0,
      verified_to: null,
      last_run: null,
    });
  });

  it("refuses a filter, a cursor and a limit that are none", async () => {
    const organization_id = await newOrganization();
    const cases: Record<string, string>[] = [
      { q: "(((" },
      { after: "x!" },
      { limit: "501" },
      { from: "then" },
    ];
    for (const wrong of cases) {
      const response = await events.GET(ask({ organization_id, ...wrong }));
      expect([400, 422], JSON.stringify(wrong)).toContain(response.status);
    }
  });
});
