import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issueInstanceScope, issueScope } from "@/lib/auth/server/issue-scope";
import { findSession, openSession } from "@/lib/auth/server/sessions";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { createUser } from "@/lib/auth/server/users";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, newEvent } from "@/lib/events/server/test-log";
import type { NewActionSchema } from "../schema";
import { createActionSchema } from "./action-schemas";
import { browseActions, readAction } from "./browse";
import { checkEventSchema, forgetUnknown } from "./check-event";
import { trySchema } from "./try-schema";

const operator = systemInstanceScope("cli");
const doc = { targets: [{ type: "doc" }] };
const create = (action: string, schema: Partial<NewActionSchema> = {}) =>
  createActionSchema(operator, action, { ...doc, ...schema });
const at = (minute: number) => new Date(Date.UTC(2026, 0, 2) + minute * 60_000).toISOString();

let db: TestDatabase;
let mine: string;
let theirs: string;

beforeAll(async () => {
  db = await testDatabase();
  mine = await createTestLog(db);
  theirs = await createTestLog(db);
});
afterAll(() => db.close());

const scope = () => systemScope("cli", mine);

async function names(search: string): Promise<string[]> {
  const found: string[] = [];
  let after: string | null = "";
  while (after !== null) {
    const page = await browseActions(scope(), { search, after });
    found.push(...page.actions.map(({ name }) => name));
    after = page.next;
  }
  return found;
}

describe("the actions of an organization", () => {
  const seen = Array.from(
    { length: 120 },
    (_, number) => `seen.a${String(number).padStart(3, "0")}`,
  );

  beforeAll(async () => {
    await appendEvents(mine, [
      ...seen.map((action) => newEvent({ action })),
      newEvent({ action: "Ünder/way", targets: [{ type: "doc", id: "d" }], occurredAt: at(3) }),
      newEvent({ action: "both.made", occurredAt: at(1) }),
      newEvent({ action: "both.made", occurredAt: at(2) }),
      newEvent({ action: "trailseal.pruned" }),
    ]);
    await appendEvents(theirs, [newEvent({ action: "secret.of_theirs" })]);
    for (const action of ["both.made", "seen.a050x", "z.registered"]) await create(action);
    await create("both.made", { targets: [{ type: "team" }] });
  });

  test("are those with a schema and those seen there, each once, to the end of the pages", async () => {
    const expected = ["both.made", ...seen.toSpliced(51, 0, "seen.a050x"), "z.registered"];
    expect(await names("")).toEqual([...expected, "Ünder/way"]);
  });

  test("are found by what their name contains", async () => {
    expect(await names("A05")).toEqual([
      ...seen.slice(50, 51),
      "seen.a050x",
      ...seen.slice(51, 60),
    ]);
    expect(await names("%")).toEqual([]);
    expect(await names("secret")).toEqual([]);
  });

  test("are searched to the last, however many there are", async () => {
    const log = await createTestLog(db);
    const many = Array.from({ length: 2_010 }, (_, number) => `many.${1_000_000 + number}`);
    await appendEvents(
      log,
      [...many, "none.like_it"].map((action) => newEvent({ action })),
    );
    const first = await browseActions(systemScope("cli", log), { search: "LIKE", after: "" });
    expect(first).toEqual({ actions: [], next: many[1_999] });
    const rest = await browseActions(systemScope("cli", log), {
      search: "LIKE",
      after: first.next ?? "",
    });
    expect(rest).toMatchObject({ actions: [{ name: "none.like_it" }], next: null });
  });

  test("carry their newest version, who made it, and their newest event there", async () => {
    const { actions } = await browseActions(scope(), { search: "both", after: "" });
    expect(actions).toMatchObject([
      {
        name: "both.made",
        schema: { version: 2, targets: [{ type: "team" }], registeredBy: "the command line" },
        lastEventAt: at(2),
      },
    ]);
    const elsewhere = await browseActions(systemScope("cli", theirs), { search: "", after: "" });
    expect(elsewhere.actions.map(({ name, lastEventAt }) => [name, lastEventAt !== null])).toEqual([
      ["both.made", false],
      ["secret.of_theirs", true],
      ["seen.a050x", false],
      ["z.registered", false],
    ]);
  });

  test("open one by one, with versions page by page", async () => {
    expect(await readAction(scope(), "Ünder/way", null)).toMatchObject({
      versions: [],
      newest: 0,
      lastEventAt: at(3),
      seenTargets: ["doc"],
    });
    for (let version = 2; version <= 25; version += 1) await create("z.registered");
    const newest = await readAction(scope(), "z.registered", null);
    expect(newest).toMatchObject({ newest: 25, hasOlder: true, lastEventAt: null });
    const older = await readAction(scope(), "z.registered", newest.versions.at(-1)?.version ?? 0);
    expect(older.hasOlder).toBe(false);
    expect([...newest.versions, ...older.versions].map(({ version }) => version)).toEqual(
      Array.from({ length: 25 }, (_, index) => 25 - index),
    );
    await expect(readAction(scope(), "secret.of_theirs", null)).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describe("a schema that does not exist yet", () => {
  const typed = (type: string) => ({ type: "object", properties: { total: { type } } });
  const schema: NewActionSchema = {
    targets: [{ type: "invoice", metadata: typed("number") }],
    actor: { metadata: { required: ["role"] } },
    metadata: { properties: { plan: { enum: ["free", "paid"] } } },
  };
  /** Every third lacks a role, every fifth has no invoice, every seventh another plan. */
  const events = (action: string, count: number) =>
    Array.from({ length: count }, (_, number) =>
      newEvent({
        action,
        occurredAt: at(number),
        actor: { type: "user", id: "u", ...(number % 3 ? { metadata: { role: "admin" } } : {}) },
        targets: [{ type: number % 5 ? "invoice" : "team", id: "t", metadata: { total: 1 } }],
        metadata: number % 7 ? { plan: "paid" } : { plan: "gold" },
      }),
    );

  test("would reject exactly those of the newest thousand that the API refuses with it", async () => {
    const sent = events("tried.much", 1_040);
    await appendEvents(mine, sent);
    const trial = await trySchema(scope(), "tried.much", schema);
    const { version } = await create("tried.much", schema);
    forgetUnknown();
    let refused = 0;
    for (const event of sent.slice(-1_000))
      await checkEventSchema({ ...event, version }).catch(() => {
        refused += 1;
      });
    expect(refused).toBeGreaterThan(500);
    expect(trial).toMatchObject({
      checked: 1_000,
      rejected: refused,
      unchecked: 0,
      reach: "newest",
      version,
    });
  });

  test("names the newest it would reject, and where in each", async () => {
    await appendEvents(mine, events("tried.few", 16));
    const trial = await trySchema(scope(), "tried.few", schema);
    expect(trial).toMatchObject({ checked: 16, reach: "all" });
    expect(trial.examples.map(({ occurredAt, findings }) => [occurredAt, findings])).toEqual(
      expect.arrayContaining([
        [
          at(14),
          [{ pointer: "/metadata/plan", message: expect.stringMatching(/: \["free","paid"\]$/) }],
        ],
        [at(12), [{ pointer: "/actor/metadata", message: expect.stringContaining("'role'") }]],
        [at(10), [{ pointer: "/targets", message: expect.stringContaining("at least 1") }]],
      ]),
    );
  });

  test("is held against this organization's events only, and by nobody from elsewhere", async () => {
    await appendEvents(theirs, events("tried.elsewhere", 4));
    expect(await trySchema(scope(), "tried.elsewhere", schema)).toEqual({
      checked: 0,
      rejected: 0,
      unchecked: 0,
      reach: "all",
      version: 1,
      examples: [],
    });
    const { id } = await createUser(operator, {
      name: "Mei",
      email: "mei@example.com",
      password: "correct horse battery",
      instanceAdmin: false,
      organizationId: theirs,
    });
    const member = await findSession(
      await openSession(id, { address: "127.0.0.1", userAgent: null }),
    );
    await expect(issueScope(member, "action:trySchema", mine)).rejects.toMatchObject({
      code: "not_found",
    });
    for (const key of ["action:createActionSchema", "action:setUnknownActions"] as const)
      expect(() => issueInstanceScope(member, key)).toThrow("Only an administrator");
  });

  test("says how far it came where patterns take long", async () => {
    const note = "a".repeat(500);
    const slow = Array.from({ length: 1_000 }, () =>
      newEvent({ action: "tried.slow", metadata: { note } }),
    );
    await appendEvents(mine, slow);
    const trial = await trySchema(scope(), "tried.slow", {
      targets: [{ type: "doc" }],
      metadata: { properties: { note: { pattern: "^a*a*a*b$" } } },
    });
    expect(trial.reach).toBe("time");
    expect(trial.rejected).toBe(trial.checked);
    expect(trial.checked).toBeLessThan(1_000);
  });

  test("leaves out what no pattern can be matched with in time", async () => {
    const note = (text: string) => newEvent({ action: "tried.long", metadata: { note: text } });
    await appendEvents(mine, [note("a".repeat(40_000)), note("b"), note("a")]);
    const pattern = { ...schema, targets: [{ type: "invoice" }], actor: null };
    const trial = await trySchema(scope(), "tried.long", {
      ...pattern,
      metadata: { properties: { note: { pattern: "^a*a*a*$" } } },
    });
    expect(trial).toMatchObject({ checked: 2, rejected: 2, unchecked: 1, reach: "all" });
  });
});
