import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { invite, listInvitations } from "@/lib/auth/server/invitations";
import { changeSight } from "@/lib/auth/server/members";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { SEES_EVERYTHING } from "@/lib/events/sight";
import { admit } from "./admit";
import { acme, begin, by, change, domain, FROM, person, role, scope, told } from "./admit-fixtures";
import { deleteProvider } from "./providers";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

beforeEach(() => begin(db));

afterAll(() => db.close());

describe("what a person restricted, groups do not widen", () => {
  const sight = { filter: "action:billing.*", hidden: ["ip"] };
  const restriction = { sees: "action:billing.*", hidden: "ip" };
  const security = { groups: ["security"] };

  async function seen(userId: string) {
    const { rows } = await db.owner.query(
      `SELECT role, view_filter AS filter, masked_fields AS hidden FROM memberships
       WHERE organization_id = $1 AND user_id = $2 AND removed_at IS NULL`,
      [acme, userId],
    );
    return rows[0] ?? null;
  }
  const restricted = { role: "viewer", ...sight };
  const kept = { ...restriction, role: "viewer", role_by_groups: "admin", reason: "restricted" };

  it.each([
    ["as viewer", { groups: ["staff"] }, { ...restriction, role: "viewer" }],
    ["as another", security, kept],
  ])("who was invited to see a part joins with it %s", async (_name, claims, facts) => {
    await invite(scope(), { email: `mei@${domain()}`, role: "viewer", sight });
    const { id } = await admit(by, person("mei", claims), FROM);
    expect(await seen(id)).toEqual(restricted);
    expect(await listInvitations(scope())).toEqual([]);
    expect((await told()).slice(-4)).toMatchObject([
      { action: "trailseal.invitation_revoked" },
      { action: "trailseal.member_joined", cause: "groups", ...facts },
      { action: "trailseal.sso_identity_linked" },
      { action: "trailseal.signed_in" },
    ]);
  });

  it("an invitation that is over restricts nobody", async () => {
    await invite(scope(), { email: `mei@${domain()}`, role: "viewer", sight });
    await db.owner.query(
      "UPDATE invitations SET expires_at = now() - interval '1 second' WHERE organization_id = $1",
      [acme],
    );
    const { id } = await admit(by, person("mei", security), FROM);
    expect(await role(id)).toBe("admin");
  });

  it("a viewer who sees a part stays one, is removed all the same, and comes back as they were", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    await changeSight(scope(), { userId: id, sight });
    await admit(by, person("mei", security), FROM);
    expect(await seen(id)).toEqual(restricted);
    expect((await told()).at(-2)).toMatchObject({
      ...{ action: "trailseal.member_role_kept", reason: "restricted", role_by_groups: "admin" },
    });
    for (const [claims, facts] of [
      [{}, { ...restriction, role: "viewer" }],
      [security, kept],
    ] as const) {
      await expect(admit(by, person("mei", { groups: [] }), FROM)).rejects.toThrow("SsoNoRole");
      expect(await seen(id)).toBeNull();
      await admit(by, person("mei", claims), FROM);
      expect(await seen(id)).toEqual(restricted);
      expect((await told()).at(-2)).toMatchObject({
        action: "trailseal.member_restored",
        ...facts,
      });
    }
    await changeSight(scope(), { userId: id, sight: SEES_EVERYTHING });
    await admit(by, person("mei", security), FROM);
    expect(await role(id)).toBe("admin");
  });
});

describe("a provider that changed while somebody was on their way", () => {
  it("decides by its roles of now", async () => {
    const before = by;
    await change({ groupRoles: [{ group: "staff", role: "auditor" }] });
    const { id } = await admit(before, person("mei"), FROM);
    expect(await role(id)).toBe("auditor");
  });

  it.each([
    ["is off", () => change({ isEnabled: false })],
    ["is gone", () => deleteProvider(scope(), by.id)],
    ["has another client", () => change({ clientId: "another" })],
    ["has another issuer", () => change({ issuer: "https://b.example.com", clientSecret: "b" })],
  ])("and %s lets nobody in, and the log says so", async (_name, lose) => {
    const before = by;
    await lose();
    await expect(admit(before, person("mei"), FROM)).rejects.toThrow("SsoChanged");
    expect((await told()).at(-1)).toMatchObject({
      ...{ action: "trailseal.sign_in_refused", reason: "SsoChanged" },
    });
  });

  it("opens no session after it was turned off, however close to each other the two are", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    await Promise.allSettled([
      admit(by, person("mei"), FROM),
      change({ isEnabled: false }),
      admit(by, person("mei"), FROM),
    ]);
    const { rows } = await db.owner.query(
      "SELECT FROM sessions WHERE user_id = $1 AND revoked_at IS NULL",
      [id],
    );
    expect(rows).toEqual([]);
  });
});
