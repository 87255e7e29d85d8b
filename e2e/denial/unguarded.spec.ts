import { expect, test } from "../fixtures";
import {
  accessKeyOf,
  actions,
  addressOf,
  callAction,
  expectedOf,
  expectSilence,
  forEach,
  is,
  keyOf,
  resultOf,
  routes,
} from "./places";
import { createTenant } from "./tenant";
import { visit } from "./visitor";
import { VISITORS } from "./visitors";

/** What the client router sends when it has an organization's layout already and wants a page only. */
function pageOnlyHeaders(organizationId: string): Record<string, string> {
  const leaf = ["elsewhere", { children: ["__PAGE__", {}, null, null, 0] }, null, null, 0];
  const org = [["org", organizationId, "d", null], { children: leaf }, null, null, 0];
  const dashboard = ["(dashboard)", { children: ["o", { children: org }, null, null, 0] }];
  const tree = ["", { children: [...dashboard, null, null, 0] }, null, null, 16];
  return { RSC: "1", "Next-Router-State-Tree": encodeURIComponent(JSON.stringify(tree)) };
}

test("a page asked for without its layout guards itself", async ({ playwright, server }) => {
  const tenant = await createTenant(playwright, server, `Canary${Date.now()}`);
  const headers = pageOnlyHeaders(tenant.organization);
  const keys = `/o/${tenant.organization}/settings/keys`;
  const own = await (await tenant.owner.get(keys, { headers })).text();
  expect(own).toContain(tenant.canary);
  expect(own, "the layout is not part of the answer").not.toContain(`${tenant.canary} Ltd`);
  for (const [name, { grant, come }] of Object.entries(VISITORS)) {
    const request = await come(playwright, server, tenant);
    const isNone = name.endsWith("that is none");
    await forEach(isNone ? [] : routes, async (route) => {
      const key = keyOf(route);
      const outcome = expectedOf(key, grant);
      if (!is("organization")(key) || !key.startsWith("page:") || outcome === "granted") return;
      const response = await request.get(addressOf(route, tenant), { headers });
      await expectSilence(response, `${name} ${key}`, tenant.canary);
      const refusal = outcome === "unauthorized" ? "/sign-in" : "NEXT_HTTP_ERROR_FALLBACK;404";
      expect((await response.text()).includes(refusal), `${name} ${key}`).toBe(true);
    });
  }
});

test("an action that is public needs its own proof", async ({ playwright, server }) => {
  const request = await visit(playwright, server);
  const open = actions.filter(([, action]) => is("public")(accessKeyOf(action)));
  expect(open.map(([, { exportedName }]) => exportedName).sort()).toEqual([
    "acceptWithNewAccountAction",
    "createFirstAdministratorAction",
    "findSignInRouteAction",
  ]);
  const input = { token: "guess", name: "M", email: "m@example.com", password: "twelve chars" };
  for (const action of open) {
    const result = await resultOf(await callAction(request, action, "", [input]));
    // Knows where domains sign in, and nothing of an address.
    if (action[1].exportedName === "findSignInRouteAction") {
      expect(result).toEqual({ ok: true, data: null });
      continue;
    }
    expect(result).toMatchObject({ ok: false, code: "forbidden" });
  }
});
