import fs from "node:fs";
import path from "node:path";
import type { APIRequestContext, APIResponse } from "@playwright/test";
import { type AccessKey, access, type Requirement } from "../../lib/auth/access";
import type { Permission } from "../../lib/auth/permissions";
import { actionsIn, methodsIn } from "../../lib/auth/test-sources";
import { expect } from "../fixtures";
import { actionCalls, addresses, bareCalls } from "./calls";
import type { Holdings } from "./tenant";

const root = path.resolve(import.meta.dirname, "../..");

function readJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(path.join(root, file), "utf8")) as T;
}

interface ServerAction {
  filename: string;
  exportedName: string;
  workers: Record<string, unknown>;
}

/** What Next itself serves, from the manifests of its build: pages and handlers, and actions by their ids. */
export const routes = Object.entries(
  readJson<Record<string, string>>(".next/app-path-routes-manifest.json"),
).filter(([, route]) => !/^\/_(not-found|global-error)$/.test(route));
export const actions = Object.entries(
  readJson<{ node: Record<string, ServerAction> }>(".next/server/server-reference-manifest.json")
    .node,
);

export const keyOf = ([entry, route]: [string, string]) =>
  `${entry.endsWith("/page") ? "page" : "handler"}:${route}` as AccessKey;

export function accessKeyOf({ filename, exportedName }: ServerAction): AccessKey {
  const text = fs.readFileSync(path.join(root, filename), "utf8");
  const action = actionsIn({ file: filename, text }).find(({ name }) => name === exportedName);
  const accessKey = action?.permits[0]?.accessKey;
  if (!accessKey) throw new Error(`${filename} ${exportedName} asks no permission`);
  return accessKey;
}

/** The methods that a handler answers, from its source. */
export function methodsOf([entry]: [string, string]): string[] {
  const file = `app${entry.replace("/_widgets/", "/%5Fwidgets/")}.ts`;
  return methodsIn({ file, text: fs.readFileSync(path.join(root, file), "utf8") });
}

export const is = (who: Requirement["who"]) => (key: AccessKey) => access[key]?.who === who;

/** Puts what somebody holds in the place of `{name}`. */
export const fill = (pattern: string, held: Holdings) =>
  pattern.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(held[name as keyof Holdings]),
  );

/** The address of an organization's page or handler, with all that it has to be given. */
export function addressOf([entry, route]: [string, string], held: Holdings): string {
  const key = keyOf([entry, route]);
  const rest = addresses[key];
  const isPlain = key.startsWith("page:") && !route.replace("[org]", "").includes("[");
  if (rest === undefined && !isPlain)
    throw new Error(`Say in e2e/denial/calls.ts (addresses) how ${key} is asked for`);
  const whole = rest?.startsWith("/")
    ? rest
    : route.replace("[org]", "{organization}") + (rest ?? "");
  return fill(whole, held);
}

/** The arguments of an action so that it is done, for somebody who may. */
export function argumentsOf({ exportedName }: ServerAction, held: Holdings): unknown[] {
  const bare = bareCalls[exportedName];
  if (bare) return bare.args(held);
  const call = actionCalls[exportedName];
  if (!call)
    throw new Error(`Say in e2e/denial/calls.ts (actionCalls) how ${exportedName} is called`);
  return [held.organization, ...call.args(held)];
}

export async function callAction(
  request: APIRequestContext,
  [id, action]: [string, ServerAction],
  organizationId: string,
  args: unknown[],
): Promise<APIResponse> {
  const worker = Object.keys(action.workers)[0] ?? "";
  const route = worker
    .replace(/^app/, "")
    .replace(/\/page$/, "")
    .replace(/\/\([^/]+\)/g, "");
  return request.post(route.replace("[org]", organizationId).replace("[id]", "none") || "/", {
    headers: { "Next-Action": id, "Content-Type": "text/plain;charset=UTF-8" },
    data: JSON.stringify(args),
    maxRedirects: 0,
  });
}

export type ActionAnswer =
  | { ok: true; data: unknown }
  | { ok: false; code: string; message: string; requestId: string };

/** What an action answered, out of the rows that React sends. */
export async function resultOf(response: APIResponse): Promise<ActionAnswer> {
  const text = await response.text();
  const row = /^\w+:(\{"ok":.*\})$/m.exec(text)?.[1];
  if (!row) throw new Error(`No answer of an action: ${response.status()} ${text.slice(0, 500)}`);
  return JSON.parse(row) as ActionAnswer;
}

/** What somebody may do, of what the registry asks for. */
export interface Grant {
  /** Null: nothing in this organization, which is none for them. */
  permissions: ReadonlySet<Permission> | null;
  hasAccount: boolean;
  hasSession: boolean;
  isAdministrator: boolean;
}

export type Outcome = "granted" | "unauthorized" | "forbidden" | "not_found";

/** What a place answers to somebody who comes with a cookie or none. */
export function expectedOf(key: AccessKey, grant: Grant): Outcome {
  const demand: Requirement = access[key];
  switch (demand.who) {
    case "public":
      return "granted";
    case "session":
      return grant.hasAccount ? "granted" : "unauthorized";
    case "instance":
      if (!grant.hasAccount) return "unauthorized";
      return grant.isAdministrator ? "granted" : "forbidden";
    case "organization":
      if (!grant.hasSession) return "unauthorized";
      if (!grant.permissions) return "not_found";
      if (demand.isAdministrators && !grant.isAdministrator) return "forbidden";
      return grant.permissions.has(demand.permission) ? "granted" : "forbidden";
    case "widget":
    case "link":
      return "forbidden";
    case "api_key":
      return "unauthorized";
  }
}

/** What an answer is; a page hides what is not for somebody, whatever the reason. */
export async function outcomeOf(key: AccessKey, response: APIResponse): Promise<Outcome | string> {
  const status = response.status();
  const text = await response.text();
  if (key.startsWith("page:")) {
    const target = response.headers().location ?? "";
    const isEntrance = /\/(sign-in(\?organization=\w+)?|portal\/ended)$/.test(target);
    if (status === 307) return isEntrance ? "unauthorized" : target;
    // A page that streams has said 200 before it finds that it is none for this visitor.
    if (status === 404 || text.includes("NEXT_HTTP_ERROR_FALLBACK;404")) return "not_found";
    return status === 200 ? "granted" : `${status}`;
  }
  if (status === 200) return "granted";
  const { code } = JSON.parse(text) as { code: string };
  const names: Record<string, Outcome> = {
    "401 unauthorized": "unauthorized",
    "403 forbidden": "forbidden",
    "404 entity_not_found": "not_found",
  };
  return names[`${status} ${code}`] ?? `${status} ${code}`;
}

/** An answer says why, and nothing else: nothing of a tenant is in it. */
export async function expectSilence(
  response: APIResponse,
  what: string,
  ...words: string[]
): Promise<void> {
  const text = await response.text();
  // A page is long: that it says too much is enough.
  for (const word of words) expect(text.includes(word), `${what} says ${word}`).toBe(false);
}

/** Some at a time: the server has others to serve. */
export async function forEach<T>(items: readonly T[], run: (item: T) => Promise<void>) {
  const rest = [...items];
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await run(item);
    }),
  );
}
