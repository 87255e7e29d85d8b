import { type AccessKey, access, sealedBy } from "../../lib/auth/access";
import { expect, test } from "../fixtures";
import { actionCalls, bareCalls } from "./calls";
import {
  accessKeyOf,
  actions,
  addressOf,
  argumentsOf,
  callAction,
  expectedOf,
  expectSilence,
  forEach,
  type Grant,
  is,
  keyOf,
  methodsOf,
  type Outcome,
  outcomeOf,
  resultOf,
  routes,
} from "./places";
import { createTenant, digestOf, nextSeq, sealedFrom, type Tenant, withoutLog } from "./tenant";
import { VISITORS } from "./visitors";

const UNKNOWN_ORGANIZATION = "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH";
/** Input that no action takes. */
const NO_INPUT = { denial: ["suite"] };
/** Act upon whoever calls them, and so upon tests beside this one; sign-in.spec.ts and account.spec.ts test them. */
const UPON_ONESELF = ["signOutAction", "endOtherSessionsAction"];

/** A page hides what is not for somebody; who has no account is shown out instead. */
function shownFor(outcome: Outcome, { hasAccount, permissions }: Grant): Outcome {
  if (outcome === "forbidden") return "not_found";
  return outcome === "not_found" && !hasAccount && !permissions ? "unauthorized" : outcome;
}

let tenant: Tenant;

test.beforeAll(async ({ playwright, server }) => {
  tenant = await createTenant(playwright, server, `Canary${Date.now()}`);
});

test("what Next serves is what the registry declares, both ways", () => {
  const served = [...routes.map(keyOf), ...actions.map(([, action]) => accessKeyOf(action))];
  expect([...new Set(served)].sort()).toEqual(Object.keys(access).sort());
});

test("the tables of calls name what is there, and nothing else", () => {
  const names = actions
    .filter(([, action]) => !is("public")(accessKeyOf(action)))
    .map(([, { exportedName }]) => exportedName)
    .filter((name) => !UPON_ONESELF.includes(name));
  expect([...Object.keys(actionCalls), ...Object.keys(bareCalls)].sort()).toEqual(names.sort());
});

let leave: (typeof VISITORS)[string]["leave"];

test.afterEach(async ({ server }) => {
  await leave?.(server, tenant);
  leave = undefined;
});

for (const [name, { grant, come, leave: leaves }] of Object.entries(VISITORS)) {
  test(`${name}: each page, handler and action answers as declared, nothing changes, and the log tells of reads alone`, async ({
    playwright,
    server,
  }) => {
    leave = leaves;
    const request = await come(playwright, server, tenant);
    const isNone = name.endsWith("that is none");
    const held = isNone ? { ...tenant, organization: UNKNOWN_ORGANIZATION } : tenant;
    const readsEvents = grant.permissions?.has("events:read") ?? false;
    const before = await digestOf(server, tenant.organization);
    const firstSeq = await nextSeq(server, tenant.organization);
    const sealed = new Set<string>();
    const found: Partial<Record<AccessKey | string, string>> = {};
    const expected: typeof found = {};

    await forEach(routes, async (route) => {
      const key = keyOf(route);
      if (!["organization", "session", "instance"].includes(access[key].who)) return;
      const address = is("organization")(key) ? addressOf(route, held) : route[1];
      const method = key.startsWith("page:") ? "GET" : methodsOf(route)[0];
      const response = await request.fetch(address, { method, maxRedirects: 0 });
      const outcome = expectedOf(key, grant);
      const isAsked = method === "GET" || outcome !== "granted";
      // Without a body it would be done; tenant.ts does it.
      if (!isAsked) expected[key] = "400 invalid_request";
      else expected[key] = key.startsWith("page:") ? shownFor(outcome, grant) : outcome;
      found[key] = await outcomeOf(key, response);
      if (isAsked && outcome === "granted") for (const read of sealedBy(key)) sealed.add(read);
      // Pages have the organization's name for who belongs to it.
      const belongs = key.startsWith("page:") && (grant.permissions || is("session")(key));
      if (!readsEvents && !belongs) await expectSilence(response, key, tenant.canary);
    });

    await forEach(actions, async (action) => {
      const key = accessKeyOf(action[1]);
      const { exportedName } = action[1];
      if (is("public")(key) || UPON_ONESELF.includes(exportedName)) return;
      const outcome = expectedOf(key, grant);
      const call = actionCalls[exportedName] ?? bareCalls[exportedName];
      let args = argumentsOf(action[1], held);
      if (outcome === "granted" && call?.changes) {
        const isBare = exportedName in bareCalls;
        // Without input it would be done; tenants.spec.ts does it.
        if (args.length === 1 && !isBare) return;
        args = isBare ? [NO_INPUT] : [held.organization, NO_INPUT, NO_INPUT];
        expected[exportedName] = "invalid_request";
      } else {
        expected[exportedName] = (outcome === "granted" && call?.answered) || outcome;
        // Who reads no events gets an example.
        const isShown = outcome === "granted" && readsEvents;
        if (isShown) for (const read of sealedBy(key)) sealed.add(read);
      }
      const response = await callAction(request, action, held.organization, args);
      const result = await resultOf(response);
      found[exportedName] = result.ok ? "granted" : result.code;
      if (outcome !== "granted" || !readsEvents)
        await expectSilence(response, exportedName, tenant.canary);
    });

    expect(found).toEqual(expected);
    expect(await sealedFrom(server, tenant.organization, firstSeq)).toEqual([...sealed].sort());
    const after = await digestOf(server, tenant.organization);
    if (sealed.size === 0) expect(after).toEqual(before);
    expect(withoutLog(after)).toEqual(withoutLog(before));
  });
}
