import fs from "node:fs";
import path from "node:path";
import type { APIRequestContext, APIResponse } from "@playwright/test";
import { type AccessKey, access, type Requirement } from "../../lib/auth/access";
import { actionsIn } from "../../lib/auth/test-sources";
import { expect } from "../fixtures";

const root = path.resolve(import.meta.dirname, "../..");

function readJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(path.join(root, file), "utf8")) as T;
}

interface ServerAction {
  filename: string;
  exportedName: string;
  workers: Record<string, unknown>;
}

/** What Next itself serves, from the manifests of its build. */
export const routes = Object.entries(
  readJson<Record<string, string>>(".next/app-path-routes-manifest.json"),
).filter(([, route]) => !route.startsWith("/_"));
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

export const fill = (route: string, organizationId: string) =>
  route.replace("[org]", organizationId).replace("[id]", "als_01JZ8Q4M7N2V5X9C3B6T0R1KDH");

export const is = (who: Requirement["who"]) => (key: AccessKey) => access[key]?.who === who;

/** An answer says why, and nothing else: neither the organization's name nor its keys. */
export async function expectSilence(response: APIResponse, what: string): Promise<void> {
  const text = await response.text();
  expect(text, what).not.toContain("Acme");
  expect(text, what).not.toContain("e2e");
}

export async function callAction(
  request: APIRequestContext,
  [id, action]: [string, ServerAction],
  organizationId: string,
): Promise<APIResponse> {
  const worker = Object.keys(action.workers)[0] ?? "";
  const route = worker
    .replace(/^app/, "")
    .replace(/\/page$/, "")
    .replace(/\/\([^/]+\)/g, "");
  return request.post(fill(route || "/", organizationId), {
    headers: { "Next-Action": id, "Content-Type": "text/plain;charset=UTF-8" },
    data: JSON.stringify([organizationId, {}]),
    maxRedirects: 0,
  });
}
