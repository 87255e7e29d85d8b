import type { APIRequestContext } from "@playwright/test";
import { type ApiKeyAccessKey, permissionOf, sealedBy } from "../../lib/auth/access";
import { grantedBy, type KeyPermission, keyPermissionNames } from "../../lib/auth/permissions";
import { expect, test } from "../fixtures";
import { type ApiCall, apiCalls } from "./api-calls";
import { fill, forEach, is, keyOf, methodsOf, routes } from "./places";
import {
  createTenant,
  digestOf,
  nextSeq,
  putKey,
  sealedFrom,
  type Tenant,
  withoutLog,
} from "./tenant";
import { asOwner, createMember, visit } from "./visitor";

/** What no handler takes. */
const NO_BODY = { name: 5 };

let tenant: Tenant;
let other: Tenant;

test.beforeAll(async ({ playwright, server }) => {
  const [here, there] = ["Here", "There"].map((name) => `${name}Canary${Date.now()}`);
  [tenant, other] = await Promise.all([
    createTenant(playwright, server, here as string),
    createTenant(playwright, server, there as string),
  ]);
});

const calls = Object.entries(apiCalls).flatMap(([key, list]) =>
  list.map((call) => ({ key: key as ApiKeyAccessKey, call, name: `${call.method} ${key}` })),
);

const send = (request: APIRequestContext, call: ApiCall, secret?: string, body?: object) =>
  request.fetch(fill(call.path, tenant), {
    method: call.method,
    headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    ...(call.body ? { data: body ?? call.body(tenant) } : {}),
  });

test("the table of calls has each method of each handler that takes a key", () => {
  const served = routes
    .filter((route) => is("api_key")(keyOf(route)))
    .flatMap((route) => methodsOf(route).map((method) => `${method} ${keyOf(route)}`));
  expect(calls.map(({ name }) => name).sort(), "complete e2e/denial/api-calls.ts").toEqual(
    served.sort(),
  );
});

for (const visitor of [
  "no key",
  "an unknown key",
  "a key with a letter too many",
  "a revoked key",
  "a key that has run out",
  "the session of an owner",
] as const) {
  test(`${visitor}: no handler of the API takes it, and nothing changes`, async ({
    playwright,
    server,
  }) => {
    const request = await visit(
      playwright,
      server,
      visitor.startsWith("the session")
        ? await createMember(server, tenant.organization, "owner")
        : undefined,
    );
    const { id, secret } = await putKey(server, tenant.organization, ["admin"]);
    if (visitor === "a revoked key")
      await asOwner(server, "UPDATE api_keys SET revoked_at = now() WHERE id = $1", [id]);
    if (visitor === "a key that has run out")
      await asOwner(server, "UPDATE api_keys SET expires_at = now() WHERE id = $1", [id]);
    const sent = {
      "no key": undefined,
      "the session of an owner": undefined,
      "an unknown key": "sk_unknown",
      "a key with a letter too many": `${secret}x`,
    }[visitor as string];
    const isDead = visitor === "a revoked key" || visitor === "a key that has run out";
    const before = await digestOf(server, tenant.organization);
    await forEach(calls, async ({ call, name }) => {
      const response = await send(request, call, isDead ? secret : sent);
      expect(response.status(), `${name} ${await response.text()}`).toBe(401);
      expect(response.headers()["content-type"]).toBe("application/json; charset=utf-8");
      expect(response.headers()["x-request-id"]).toMatch(/^req_/);
      expect(await response.json()).toEqual({ message: "Unauthorized", code: "unauthorized" });
    });
    expect(await digestOf(server, tenant.organization)).toEqual(before);
  });
}

for (const permission of keyPermissionNames) {
  test(`a key for ${permission}: each handler answers as declared, and the log tells of reads alone`, async ({
    request,
    server,
  }) => {
    const { secret } = await putKey(server, tenant.organization, [permission as KeyPermission]);
    const before = await digestOf(server, tenant.organization);
    const firstSeq = await nextSeq(server, tenant.organization);
    const sealed = new Set<string>();
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    await forEach(calls, async ({ key, call, name }) => {
      const isGranted = grantedBy([permission]).has(permissionOf(key)) && !call.isInstances;
      // Without a body it would be done; tenants.spec.ts does it.
      if (isGranted && call.method !== "GET" && !call.body) return;
      const response = await send(request, call, secret, isGranted ? NO_BODY : undefined);
      const status = response.status();
      const isJudged = call.body && [400, 422].includes(status);
      if (isGranted && call.method === "GET")
        for (const read of sealedBy(key))
          if (/_(searched|viewed|downloaded)$/.test(read)) sealed.add(read);
      expected[name] = isGranted ? "granted" : "403";
      found[name] = status === 200 || isJudged ? "granted" : String(status);
    });
    expect(found).toEqual(expected);
    expect(await sealedFrom(server, tenant.organization, firstSeq)).toEqual([...sealed].sort());
    const after = await digestOf(server, tenant.organization);
    if (sealed.size === 0) expect(after).toEqual(before);
    expect(withoutLog(after)).toEqual(withoutLog(before));
  });
}

test("a key of another organization finds nothing here, and changes nothing", async ({
  request,
  server,
}) => {
  const before = await digestOf(server, tenant.organization);
  await forEach(calls, async ({ call, name }) => {
    const response = await send(request, call, other.secret);
    const refusal = call.isInstances && call.path !== "/organizations/{organization}" ? 403 : 404;
    expect(response.status(), name).toBe(call.elsewhere ?? refusal);
    expect((await response.text()).includes(tenant.canary), name).toBe(false);
  });
  expect(await digestOf(server, tenant.organization)).toEqual(before);
});

test("a link to a file opens that file of that organization alone, until it is revoked", async ({
  playwright,
  request,
  server,
}) => {
  const answer = await request.get(`/audit_logs/exports/${tenant.exportReady}`, {
    headers: { authorization: `Bearer ${tenant.secret}` },
  });
  const file = new URL(((await answer.json()) as { url: string }).url);
  const manifest = new URL(/<([^>]+)>/.exec(answer.headers().link ?? "")?.[1] ?? "");
  const anybody = await visit(playwright, server);
  expect(await (await anybody.get(file.href)).text()).toContain(tenant.canary);
  expect((await anybody.get(manifest.href)).status()).toBe(200);
  for (const link of [file, manifest]) {
    const another = (change: (url: URL) => void) => {
      const url = new URL(link);
      change(url);
      return url.href;
    };
    const changed = [
      another((url) => url.searchParams.set("organization_id", other.organization)),
      another((url) => url.searchParams.set("expires", "9999999999")),
      another((url) => url.searchParams.set("link", "1")),
      another((url) => url.searchParams.delete("signature")),
      another((url) => {
        url.pathname = url.pathname.replace(tenant.exportReady, other.exportReady);
      }),
      another((url) => {
        url.pathname = /file$/.test(url.pathname)
          ? url.pathname.replace(/file$/, "manifest")
          : url.pathname.replace(/manifest$/, "file");
      }),
    ];
    for (const url of changed) {
      const response = await anybody.get(url);
      expect(response.status(), url).toBe(403);
      expect(await response.json()).toMatchObject({ code: "forbidden" });
    }
  }
  await asOwner(server, "UPDATE exports SET links_epoch = links_epoch + 1 WHERE id = $1", [
    tenant.exportReady,
  ]);
  for (const link of [file, manifest])
    expect((await anybody.get(link.href)).status(), "revoked").toBe(403);
});

test("a widget sees its token's organization, and without a token nothing", async ({ request }) => {
  const stream = "/_widgets/admin-portal/audit-log-stream";
  const link = "/_widgets/admin-portal/generate-link?intent=log_streams";
  const tokenOf = async ({ secret, organization }: Tenant, scopes: string[]) => {
    const response = await request.post("/widgets/token", {
      headers: { authorization: `Bearer ${secret}` },
      data: { organization_id: organization, scopes },
    });
    return ((await response.json()) as { token: string }).token;
  };
  const open = (token?: string) => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    return Promise.all([request.get(stream, { headers }), request.post(link, { headers })]);
  };
  const manage = ["widgets:audit-log-streaming:manage"];
  const token = await tokenOf(other, manage);
  const [seen, made] = await open(token);
  expect([seen.status(), made.status()]).toEqual([200, 201]);
  expect(await seen.text()).not.toContain(tenant.stream);
  const [header, , signature] = token.split(".");
  const claims = (await tokenOf(tenant, manage)).split(".")[1];
  const refused = [
    undefined,
    "x",
    tenant.secret,
    await tokenOf(tenant, []),
    `${header}.${claims}.${signature}`,
  ];
  for (const wrong of refused)
    for (const response of await open(wrong)) expect(response.status(), wrong).toBe(403);
});
