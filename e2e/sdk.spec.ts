import { asOwner } from "./denial/visitor";
import { expect, test } from "./fixtures";
import { type Fault, startFaultProxy } from "./fixtures/fault-proxy";
import type { TestServer } from "./server";

/** The official SDK in the versions that applications run; the three that differ most always. */
const always = { "7.82": "workos7", "8.13": "workos8", "11.0": "@workos-inc/node" };
const long = { "9.3": "workos9", "10.9": "workos10-9", "10.14": "workos10-14" };
const versions = { ...always, ...(process.env.TRAILSEAL_LONG ? long : {}) };

/** What all versions have in common, as it is used here. */
interface Client {
  auditLogs: {
    createEvent(
      organization: string,
      event: object,
      options?: { idempotencyKey?: string },
    ): Promise<void>;
  };
  portal?: Portal;
  adminPortal?: Portal;
  widgets: {
    createToken?(body: object): Promise<{ token: string }>;
    getToken?(body: object): Promise<string>;
  };
}
interface Portal {
  generateLink(body: object): Promise<{ link: string }>;
}
type Sdk = { WorkOS: new (key: string, options: object) => Client };

async function load(name: string): Promise<Sdk> {
  const loaded = (await import(name)) as Sdk & { default?: Sdk };
  return loaded.WorkOS ? loaded : (loaded.default as Sdk);
}

async function connect(name: string, port: number | string, key: string, timeout?: number) {
  const { WorkOS } = await load(name);
  const options = { apiHostname: "127.0.0.1", port: Number(port), https: false };
  return new WorkOS(key, timeout ? { ...options, timeout } : options);
}

const eventOf = (action: string) => ({
  action,
  occurredAt: new Date("2026-01-02T03:04:05.678Z"),
  actor: { type: "user", id: "usr_1", metadata: { role: "owner" } },
  targets: [{ type: "team", id: "team_1" }],
  context: { location: "203.0.113.9", userAgent: "e2e" },
  metadata: { amount: 129.5, dry: false },
});

/** How many events of an action are stored. */
const stored = (server: TestServer, organizationId: string, action: string) =>
  asOwner(server, "SELECT FROM events WHERE organization_id = $1 AND action = $2", [
    organizationId,
    action,
  ]);

const makeKey = async (server: TestServer) =>
  (
    await server.cliJson<{ key: string }>(
      "keys",
      "create",
      "--name",
      "sdk",
      "--permissions",
      "admin",
    )
  ).key;

const failure = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (thrown: Error) => thrown,
  );
  return { ...error, name: error?.constructor.name, message: error?.message };
};

for (const [version, name] of Object.entries(versions)) {
  test(`SDK ${version}: events, and every refusal as its exception`, async ({
    server,
    organization,
  }) => {
    const { id } = organization;
    const { port } = new URL(server.url);
    const { auditLogs } = await connect(name, port, await makeKey(server));
    expect(await auditLogs.createEvent(id, eventOf("a.once"))).toBeUndefined();
    for (const idempotencyKey of ["k1", "k1", "k2"])
      await auditLogs.createEvent(id, eventOf("a.keyed"), { idempotencyKey });
    await auditLogs.createEvent(id, eventOf("a.auto"));
    await auditLogs.createEvent(id, eventOf("a.auto"));
    expect(await stored(server, id, "a.once")).toBe(1);
    expect(await stored(server, id, "a.keyed")).toBe(2);
    expect(await stored(server, id, "a.auto")).toBe(2);

    const intruder = await connect(name, port, "sk_wrong");
    expect(await failure(intruder.auditLogs.createEvent(id, eventOf("a.no")))).toMatchObject({
      name: "UnauthorizedException",
      status: 401,
    });
    expect(await failure(auditLogs.createEvent("org_123", eventOf("a.no")))).toMatchObject({
      name: "NotFoundException",
      message: "Organization not found: 'org_123'.",
      code: "entity_not_found",
    });
    const wrong = { ...eventOf("a.no"), actor: { type: "user" } };
    const refused = await failure(auditLogs.createEvent(id, wrong));
    expect(refused).toMatchObject({ name: "UnprocessableEntityException", status: 422 });
    expect(refused.message).toContain("required");
    expect(await stored(server, id, "a.no")).toBe(0);
  });

  test(`SDK ${version}: portal links and widget tokens`, async ({ server, organization }) => {
    const sdk = await connect(name, new URL(server.url).port, await makeKey(server));
    const portal = (sdk.adminPortal ?? sdk.portal) as Portal;
    const base = { organization: organization.id, returnUrl: "https://app.example.com/" };
    for (const [intent, place] of [
      ["audit_logs", "events"],
      ["log_streams", "integrity/streams"],
    ]) {
      const { link } = await portal.generateLink({ ...base, intent });
      const { pathname, search } = new URL(link);
      const visit = () => fetch(server.url + pathname + search, { redirect: "manual" });
      expect((await visit()).headers.get("location")).toBe(`/o/${organization.id}/${place}`);
      expect((await visit()).headers.get("location")).toBe("/portal/ended");
    }
    for (const intent of [
      "sso",
      "dsync",
      "domain_verification",
      "certificate_renewal",
      "bring_your_own_key",
    ]) {
      const refused = await failure(portal.generateLink({ ...base, intent }));
      expect(refused, intent).toMatchObject({ name: "UnprocessableEntityException", status: 422 });
      expect(refused.message).toContain("audit_logs or log_streams");
    }
    expect(
      await failure(portal.generateLink({ organization: "bogus-id", intent: "audit_logs" })),
    ).toMatchObject({
      name: "BadRequestException",
      message: "Could not find an organization with the id, bogus-id.",
    });

    const request = {
      organizationId: organization.id,
      userId: "user_1",
      scopes: ["widgets:audit-log-streaming:manage"],
    };
    const { widgets } = sdk;
    const token = widgets.createToken
      ? (await widgets.createToken(request)).token
      : await widgets.getToken?.(request);
    const stream = await fetch(`${server.url}/_widgets/admin-portal/audit-log-stream`, {
      headers: { authorization: `Bearer ${token}`, origin: "https://app.example.com" },
    });
    expect(stream.headers.get("access-control-allow-origin")).toBe("*");
    expect([stream.status, await stream.json()]).toEqual([200, {}]);
  });

  test(`SDK ${version}: an answer lost after the event was stored leaves one event`, async ({
    server,
    organization,
  }) => {
    const key = await makeKey(server);
    const faults: Fault[] = [500, 502, 504, "reset", "silence"];
    await Promise.all(
      faults.map(async (fault) => {
        const proxy = await startFaultProxy(server.url, fault);
        try {
          const { auditLogs } = await connect(name, proxy.port, key, 1_000);
          const action = `lost.${fault}`;
          await auditLogs.createEvent(organization.id, eventOf(action));
          expect(proxy.keys.length, action).toBeGreaterThan(1);
          expect(new Set(proxy.keys).size, action).toBe(1);
          expect(await stored(server, organization.id, action), action).toBe(1);
        } finally {
          proxy.close();
        }
      }),
    );
  });
}
