import type { APIResponse } from "@playwright/test";
import { type AccessKey, sealedBy } from "../../lib/auth/access";
import { ROLE_PERMISSIONS } from "../../lib/auth/roles";
import { newId } from "../../lib/ids";
import { expect, test } from "../fixtures";
import { apiCalls } from "./api-calls";
import { actionCalls } from "./calls";
import {
  accessKeyOf,
  actions,
  addressOf,
  argumentsOf,
  callAction,
  expectedOf,
  fill,
  forEach,
  type Grant,
  is,
  keyOf,
  outcomeOf,
  resultOf,
  routes,
} from "./places";
import {
  createTenant,
  digestOf,
  type Holdings,
  sealedFrom,
  type Tenant,
  unknownHoldings,
} from "./tenant";

const OWNER: Grant = {
  permissions: ROLE_PERMISSIONS.owner,
  hasAccount: true,
  hasSession: true,
  isAdministrator: false,
};

let mine: Tenant;
let theirs: Tenant;

test.beforeAll(async ({ playwright, server }) => {
  [mine, theirs] = await Promise.all([
    createTenant(playwright, server, `MineCanary${Date.now()}`),
    createTenant(playwright, server, `TheirsCanary${Date.now()}`),
  ]);
});

const here = (held: Holdings): Holdings => ({ ...held, organization: mine.organization });

/** Their ids and ids that nobody has, both asked for in my organization. */
const askedFor = (keepsActor = false) => {
  const unknown = unknownHoldings(theirs);
  return [here(theirs), here(keepsActor ? { ...unknown, actor: theirs.actor } : unknown)] as const;
};

/** An answer without what tells one question from another: the ids in it, and the number of the request. */
function plain(text: string, held: Holdings): string {
  let rest = text.replace(/req_[0-9A-Z]{26}/g, "<request>");
  for (const [name, value] of Object.entries(held))
    if (typeof value === "string") rest = rest.replaceAll(value, `<${name}>`);
  return rest;
}

async function expectAlike(
  answers: [APIResponse, APIResponse],
  held: readonly [Holdings, Holdings],
  what: string,
) {
  const [one, two] = await Promise.all(answers.map((answer) => answer.text()));
  expect(answers[0].status(), what).toBe(answers[1].status());
  expect(plain(one as string, held[0]), what).toBe(plain(two as string, held[1]));
  expect(one?.includes(theirs.canary), what).toBe(false);
}

test("in my organization, ids of another one are answered as ids that never were, by every action", async ({
  server,
}) => {
  const before = await digestOf(server, theirs.organization);
  const refused: string[] = [];
  const answered: string[] = [];
  await forEach(actions, async (action) => {
    const { exportedName: name } = action[1];
    if (!is("organization")(accessKeyOf(action[1]))) return;
    // What is made gets a name of its own.
    const held = askedFor(actionCalls[name]?.changes);
    const [args, unknown] = held.map((some) => argumentsOf(action[1], some)) as [
      unknown[],
      unknown[],
    ];
    if (JSON.stringify(args) === JSON.stringify(unknown)) return;
    const call = (given: unknown[]) => callAction(mine.owner, action, mine.organization, given);
    const [one, two] = [await resultOf(await call(args)), await resultOf(await call(unknown))];
    (one.ok ? answered : refused).push(name);
    expect(plain(JSON.stringify(one), held[0]), name).toBe(plain(JSON.stringify(two), held[1]));
    expect(JSON.stringify(one).includes(theirs.canary), name).toBe(false);
  });
  expect(await digestOf(server, theirs.organization)).toEqual(before);
  // With nothing in the answer: an event that is none, lists of what is none.
  expect(answered.sort()).toEqual([
    "copyEventsAction",
    "listAttemptsAction",
    "listDeadLettersAction",
    "readEventAction",
    "readLanesAction",
    "readTimelineAction",
  ]);
  expect(refused.length).toBeGreaterThan(20);
});

test("the same for every page and handler", async ({ server }) => {
  const before = await digestOf(server, theirs.organization);
  const held = askedFor();
  const found: Record<string, string> = {};
  await forEach(routes, async (route) => {
    const key = keyOf(route);
    if (!is("organization")(key)) return;
    const [address, unknown] = held.map((some) => addressOf(route, some)) as [string, string];
    if (address === unknown) return;
    const answers = await Promise.all([mine.owner.get(address), mine.owner.get(unknown)]);
    found[key] = await outcomeOf(key, answers[0]);
    expect(found[key], key).toBe(await outcomeOf(key, answers[1]));
    expect((await answers[0].text()).includes(theirs.canary), key).toBe(false);
    if (key.startsWith("handler:")) await expectAlike(answers, held, key);
  });
  expect(await digestOf(server, theirs.organization)).toEqual(before);
  expect(found).toEqual({
    "handler:/o/[org]/events/proof": "not_found",
    "handler:/o/[org]/exports/[id]/file": "not_found",
    "handler:/o/[org]/exports/[id]/manifest": "not_found",
    "page:/o/[org]/integrity/streams/[id]": "not_found",
    "page:/o/[org]/import/[id]": "not_found",
    "handler:/o/[org]/import/[id]/rejects": "not_found",
    // Whoever is not known here has no events here.
    "handler:/o/[org]/events/subjects": "granted",
    "handler:/o/[org]/timeline/days": "granted",
    "handler:/o/[org]/timeline/usual": "granted",
    "page:/o/[org]/timeline": "granted",
  });
});

test("the same for every handler that takes a key", async ({ request, server }) => {
  const before = await digestOf(server, theirs.organization);
  const held = askedFor();
  const found: Record<string, number> = {};
  await forEach(Object.values(apiCalls).flat(), async ({ method, path, body }) => {
    const [address, unknown] = held.map((some) => fill(path, some)) as [string, string];
    if (address === unknown) return;
    const headers = { authorization: `Bearer ${mine.secret}` };
    const answers = await Promise.all([
      request.fetch(address, { method, headers, data: body?.(held[0]) }),
      request.fetch(unknown, { method, headers, data: body?.(held[1]) }),
    ]);
    found[`${method} ${path}`] = answers[0].status();
    await expectAlike(answers, held, path);
  });
  expect(await digestOf(server, theirs.organization)).toEqual(before);
  expect(new Set(Object.values(found))).toEqual(new Set([404]));
  expect(Object.keys(found).length).toBeGreaterThan(5);
});

test("an invitation into another organization is of no use to a member of this one", async ({
  server,
}) => {
  const before = await digestOf(server, theirs.organization);
  const [accept] = actions.filter(
    ([, { exportedName }]) => exportedName === "acceptInvitationAction",
  );
  if (!accept) throw new Error("There is no acceptInvitationAction");
  for (const token of [theirs.invitationToken, theirs.invitation, "guess"]) {
    const result = await resultOf(await callAction(mine.owner, accept, mine.organization, [token]));
    expect(result).toMatchObject({ ok: false, code: "forbidden" });
    expect(JSON.stringify(result)).not.toContain(theirs.canary);
  }
  expect(await digestOf(server, theirs.organization)).toEqual(before);
});

/** One had ended before, the other was never required: neither is changed, so nothing is sealed. */
const NOTHING_TO_DO = ["cancelVerificationAction", "requireSingleSignOnAction"];

test("with what one holds oneself, all of it is done, and the log tells of all that it is declared to", async ({
  request,
  server,
}) => {
  const done = new Set<AccessKey>();
  const calls = Object.entries(apiCalls).flatMap(([key, list]) =>
    list.map((call) => ({ key: key as AccessKey, ...call })),
  );
  for (const { key, method, path, body, isInstances } of calls) {
    if (isInstances) continue;
    done.add(key);
    const response = await request.fetch(fill(path, mine), {
      method,
      headers: { authorization: `Bearer ${mine.secret}` },
      data: body?.(mine),
    });
    expect(response.ok(), `${method} ${path} ${response.status()}`).toBe(true);
  }
  for (const name of Object.keys(actionCalls)) {
    const action = actions.find(([, { exportedName }]) => exportedName === name);
    if (!action) throw new Error(`There is no ${name}`);
    // A drill takes the whole server a while; drill.spec.ts has one.
    const isElsewhere = name === "askForDrillAction";
    if (isElsewhere || expectedOf(accessKeyOf(action[1]), OWNER) !== "granted") continue;
    // What is made gets a name that nothing has.
    const args = argumentsOf(action[1], { ...mine, actor: newId("user") });
    const result = await resultOf(await callAction(mine.owner, action, mine.organization, args));
    expect(result, `${name} ${JSON.stringify(result)}`).toMatchObject({ ok: true });
    if (!NOTHING_TO_DO.includes(name)) done.add(accessKeyOf(action[1]));
  }
  const sealed = await sealedFrom(server, mine.organization, 0);
  const untold = [...done].filter((key) => {
    const declared = sealedBy(key);
    return declared.length > 0 && !declared.some((action) => sealed.includes(action));
  });
  expect(untold).toEqual([]);
});
