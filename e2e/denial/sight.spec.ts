import { SIGHT_PERMISSIONS } from "../../lib/auth/roles";
import { hideables } from "../../lib/events/sight";
import { expect, test } from "../fixtures";
import { runSql } from "../fixtures/log";
import {
  accessKeyOf,
  actions,
  addressOf,
  argumentsOf,
  callAction,
  expectedOf,
  expectSilence,
  forEach,
  is,
  keyOf,
  methodsOf,
  outcomeOf,
  resultOf,
  routes,
} from "./places";
import { createTenant, type Tenant } from "./tenant";
import { createMember, visit } from "./visitor";

let tenant: Tenant;

test.beforeAll(async ({ playwright, server }) => {
  tenant = await createTenant(playwright, server, `Canary${Date.now()}`);
  // A viewer may know this of it.
  await runSql(server, [
    "UPDATE organizations SET name = 'Acme' WHERE id = $1",
    [tenant.organization],
  ]);
});

const grant = {
  permissions: SIGHT_PERMISSIONS,
  hasAccount: true,
  hasSession: true,
  isAdministrator: false,
};
const isWithin = is("organization");

for (const [name, filter, hidden] of [
  ["other events", "action:billing.*", []],
  [
    "events without their personal fields",
    null,
    hideables.filter((id) => id !== "actor" && id !== "target"),
  ],
  ["events by a filter without an index", "-actor.type:user -action:trailseal.*", ["agent"]],
] as const) {
  test(`who sees ${name} is answered nothing else at any page, handler or action`, async ({
    playwright,
    server,
  }) => {
    test.slow();
    const member = await createMember(server, tenant.organization, "viewer");
    await runSql(server, [
      "UPDATE memberships SET view_filter = $2, masked_fields = $3 WHERE user_id = $1",
      [member.id, filter, hidden],
    ]);
    const viewer = await visit(playwright, server, member);
    const within = routes.filter((route) => isWithin(keyOf(route)));
    await forEach(within, async (route) => {
      const key = keyOf(route);
      if (key.startsWith("handler:") && !methodsOf(route).includes("GET")) return;
      const address = addressOf(route, tenant);
      const response = await viewer.get(address, { maxRedirects: 0 });
      const expected = expectedOf(key, grant);
      const outcome = await outcomeOf(key, response);
      if (expected !== "granted")
        expect(outcome, key).toBe(key.startsWith("page:") ? "not_found" : expected);
      // A proof is of a whole event: it is refused, or of an event that is not there.
      else if (!address.includes("/events/proof"))
        expect(["granted", "400 invalid_filter"], `${key} ${outcome}`).toContain(outcome);
      await expectSilence(response, key, tenant.canary);
    });
    for (const page of [`events?event=${tenant.event}`, "events?q=has%3Aactor"]) {
      const response = await viewer.get(`/o/${tenant.organization}/${page}`);
      expect(response.status(), page).toBe(200);
      await expectSilence(response, page, tenant.canary);
    }
    const read = actions.filter(([, action]) => {
      const key = accessKeyOf(action);
      return isWithin(key) && expectedOf(key, grant) === "granted";
    });
    expect(read.length).toBeGreaterThan(5);
    for (const [id, action] of read) {
      const args = argumentsOf(action, tenant);
      const response = await callAction(viewer, [id, action], tenant.organization, args);
      await expectSilence(response, action.exportedName, tenant.canary);
      await resultOf(response);
    }
  });
}

test("an event that is not seen answers as one that never was", async ({ playwright, server }) => {
  const member = await createMember(server, tenant.organization, "viewer");
  await runSql(server, [
    "UPDATE memberships SET view_filter = 'action:billing.*' WHERE user_id = $1",
    [member.id],
  ]);
  const viewer = await visit(playwright, server, member);
  const never = `${tenant.event.slice(0, -4)}0000`;
  for (const path of ["events/proof?id=ID&format=json", "events?event=ID"]) {
    const [one, other] = await Promise.all(
      [tenant.event, never].map(async (id) => {
        const response = await viewer.get(`/o/${tenant.organization}/${path.replace("ID", id)}`);
        const text = (await response.text()).replaceAll(id, "ID");
        return path.includes("proof")
          ? `${response.status()} ${text.replace(/req_\w+/g, "")}`
          : `${response.status()} ${/no such event/.test(text)}`;
      }),
    );
    expect(one, path).toBe(other);
  }
});
