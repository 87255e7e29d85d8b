import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { issueScope } from "@/lib/auth/server/issue-scope";
import { findSession, openSession } from "@/lib/auth/server/sessions";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { createUser } from "@/lib/auth/server/users";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { addColumn, DEFAULT_LAYOUT } from "@/lib/events/table-layout";
import { parseInput } from "@/lib/http/parse-input";
import { newId } from "@/lib/ids";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { MAX_VIEWS, newViewSchema, viewChangeSchema } from "../schema";
import {
  createView,
  deleteView,
  findDefaultView,
  findView,
  listViews,
  markView,
  updateView,
} from "./views";

let db: TestDatabase;
let mei: Scope;
let tom: Scope;
/** Mei again, in another organization. */
let elsewhere: Scope;

const operator = systemInstanceScope("cli");

async function newMember(name: string, organizationId: string): Promise<string> {
  const email = `${newId("user").toLowerCase()}@example.com`;
  const member = { name, email, password: "correct horse battery", instanceAdmin: false };
  return (await createUser(operator, { ...member, organizationId })).id;
}

async function scopeOf(userId: string, organizationId: string): Promise<Scope> {
  const user = await findSession(
    await openSession(userId, { address: "127.0.0.1", userAgent: null }),
  );
  return issueScope(user, "action:readViews", organizationId);
}

function view(input: object = {}) {
  const whole = { name: "Denied", isShared: false, search: "", layout: DEFAULT_LAYOUT, ...input };
  return parseInput(newViewSchema, whole);
}

const namesOf = async (scope: Scope) => (await listViews(scope)).views.map(({ name }) => name);

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  const [here, there] = [
    (await createOrganization(operator, { name: "Acme" })).id,
    (await createOrganization(operator, { name: "Globex" })).id,
  ];
  const meiId = await newMember("Mei", here);
  const tomId = await newMember("Tom", here);
  await db.owner.query(
    "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'viewer')",
    [there, meiId],
  );
  [mei, tom, elsewhere] = await Promise.all([
    scopeOf(meiId, here),
    scopeOf(tomId, here),
    scopeOf(meiId, there),
  ]);
});

describe("a view", () => {
  it("keeps search and layout, and comes back as it was saved", async () => {
    const layout = addColumn({ ...DEFAULT_LAYOUT, density: "relaxed" }, "metadata.request");
    const opened = "event=audit_event_01JZ8Q4M7N2V5X9C3B6T0R1KDH&after=y";
    const search = `q=action%3Auser.*+-ip%3A10.0.0.0%2F8&range=7d&${opened}`;
    const made = await createView(mei, view({ search, layout }));
    expect(made).toMatchObject({
      name: "Denied",
      isMine: true,
      ownerName: "Mei",
      // The open event and the page are not part of a view.
      search: "q=action%3Auser.*+-ip%3A10.0.0.0%2F8&range=7d",
      layout,
    });
    expect(await findView(mei, made.id)).toEqual(made);
    expect((await listViews(mei)).views).toEqual([{ ...made, layout: undefined }]);
  });

  it("is not made of a search that is not understood, nor without a name", () => {
    for (const input of [
      { search: "q=actr%3Aa" },
      { search: "range=soon" },
      { name: "  " },
      { name: "x".repeat(81) },
      { layout: "x".repeat(9_000) },
    ])
      expect(() => view(input), JSON.stringify(input).slice(0, 40)).toThrow(
        /field|range|name|large/,
      );
    expect(view({ name: ` ${"x".repeat(80)} ` }).name).toHaveLength(80);
  });

  it("whose filter no longer parses keeps every word of it", async () => {
    const { id } = await createView(mei, view());
    await db.owner.query("UPDATE saved_views SET search = 'q=gone%3Ax' WHERE id = $1", [id]);
    expect(await findView(mei, id)).toMatchObject({ search: "q=gone%3Ax" });
    const { change } = parseInput(viewChangeSchema, { id, change: { name: "Kept" } });
    expect(await updateView(mei, id, change)).toMatchObject({ name: "Kept", search: "q=gone%3Ax" });
  });

  it("changes only in what is given", async () => {
    const layout = { ...DEFAULT_LAYOUT, density: "relaxed" } as const;
    const made = await createView(mei, view({ search: "q=actor%3Aa", layout }));
    const change = (given: object) =>
      parseInput(viewChangeSchema, { id: made.id, change: given }).change;
    expect(await updateView(mei, made.id, change({ name: "Other" }))).toEqual({
      ...made,
      name: "Other",
    });
    expect(await updateView(mei, made.id, change({ isShared: true }))).toMatchObject({
      layout,
      search: made.search,
      isShared: true,
    });
    const now = await updateView(mei, made.id, change({ search: "range=1h", layout: null }));
    expect(now).toMatchObject({ search: "range=1h", layout: DEFAULT_LAYOUT, name: "Other" });
  });

  it("has a name of its own among its owner's", async () => {
    const first = await createView(mei, view());
    const other = await createView(mei, view({ name: "Other" }));
    await expect(createView(mei, view({ name: " Denied " }))).rejects.toMatchObject({
      code: "conflict",
      message: "You already have a view named “Denied”.",
    });
    await expect(updateView(mei, other.id, { name: "Denied" })).rejects.toThrow("already have");
    expect((await updateView(mei, first.id, { name: "Denied" })).name).toBe("Denied");
    await createView(tom, view());
    await createView(elsewhere, view());
  });

  it("has a name of its own also when it is saved twice at once", async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 6 }, () => createView(mei, view({ name: "Twice" }))),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await namesOf(mei)).toEqual(["Twice"]);
  });

  it(`is one of at most ${MAX_VIEWS} of its owner`, async () => {
    const { organizationId, principal } = mei;
    await db.owner.query(
      `INSERT INTO saved_views (organization_id, id, owner_id, name, search)
       SELECT $1, 'view_' || n, $2, 'View ' || n, '' FROM generate_series(1, $3::int) n`,
      [organizationId, "id" in principal ? principal.id : "", MAX_VIEWS],
    );
    await expect(createView(mei, view())).rejects.toThrow(`You have ${MAX_VIEWS} views`);
    await createView(tom, view());
    await deleteView(mei, "view_7");
    await createView(mei, view());
  });
});

describe("another person", () => {
  it("learns of a view only when it is shared, and of none of another organization", async () => {
    const own = await createView(mei, view());
    const shared = await createView(mei, view({ name: "Shared", isShared: true }));
    expect(await namesOf(tom)).toEqual(["Shared"]);
    expect(await findView(tom, own.id)).toBeNull();
    expect(await findView(tom, shared.id)).toMatchObject({ isMine: false, ownerName: "Mei" });
    expect(await namesOf(elsewhere)).toEqual([]);
    for (const id of [own.id, shared.id, "", "view_'; --"]) {
      expect(await findView(elsewhere, id)).toBeNull();
      await expect(markView(elsewhere, id, { isStarred: true })).rejects.toThrow("no such view");
    }
    await expect(markView(tom, own.id, { isDefault: true })).rejects.toThrow("no such view");
    await updateView(mei, shared.id, { isShared: false });
    expect(await findView(tom, shared.id)).toBeNull();
  });

  it("changes and deletes nothing, shared or not", async () => {
    for (const isShared of [false, true]) {
      const name = `${isShared}`;
      const { id } = await createView(mei, view({ isShared, name }));
      for (const other of [tom, elsewhere]) {
        await expect(updateView(other, id, { name: "Mine" })).rejects.toThrow("no such view");
        await expect(deleteView(other, id)).rejects.toThrow("no such view");
      }
      expect(await findView(mei, id)).toMatchObject({ name });
    }
  });

  it("has stars and a default of their own", async () => {
    const { id } = await createView(mei, view({ isShared: true, search: "range=1h" }));
    const { id: second } = await createView(mei, view({ name: "Second" }));
    await markView(tom, id, { isStarred: true });
    await markView(tom, id, { isDefault: true });
    expect(await findView(tom, id)).toMatchObject({ isStarred: true, isDefault: true });
    expect(await findView(mei, id)).toMatchObject({ isStarred: false, isDefault: false });
    expect(await findDefaultView(tom)).toEqual({ id, search: "range=1h" });
    expect(await findDefaultView(mei)).toBeNull();

    await Promise.all([id, second].map((each) => markView(mei, each, { isDefault: true })));
    const defaults = (await listViews(mei)).views.filter(({ isDefault }) => isDefault);
    expect(defaults).toHaveLength(1);
    await markView(mei, defaults[0]?.id as string, { isDefault: false });
    expect(await findDefaultView(mei)).toBeNull();

    await updateView(mei, id, { isShared: false });
    expect(await findDefaultView(tom)).toBeNull();
    await deleteView(mei, id);
    const { rows } = await db.owner.query("SELECT 1 FROM saved_view_marks WHERE view_id = $1", [
      id,
    ]);
    expect(rows).toEqual([]);
  });

  it("keeps seeing the shared view of a user who is gone", async () => {
    const { id } = await createView(mei, view({ isShared: true }));
    await db.owner.query("UPDATE users SET deactivated_at = now() WHERE name = 'Mei'");
    expect(await namesOf(tom)).toEqual(["Denied"]);
    await db.owner.query("UPDATE saved_views SET owner_id = 'user_gone' WHERE id = $1", [id]);
    expect(await findView(tom, id)).toMatchObject({ ownerName: null, isMine: false });
  });
});

it("neither the command line nor the worker has views", async () => {
  for (const kind of ["cli", "worker"] as const)
    await expect(listViews(systemScope(kind, mei.organizationId))).rejects.toThrow(
      "Views belong to people",
    );
});
