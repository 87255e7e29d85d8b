import { expect } from "../fixtures";
import { failure, forEachVersion, type Sdk, UNAUTHORIZED, unique } from "./versions";

/** Versions before 9 have no method for the list, only for any path. */
async function listVersions(
  sdk: Sdk,
  action: string,
  options: { limit?: number; order?: "asc" | "desc" } = {},
): Promise<number[]> {
  if (sdk.auditLogs.listSchemas) {
    const { data } = await sdk.auditLogs.listSchemas(action, options);
    return data.map(({ version }) => version);
  }
  const answer = await sdk.get(`/audit_logs/actions/${action}/schemas`, { query: options });
  return (answer.data as { data: { version: number }[] }).data.map(({ version }) => version);
}

async function listAll(sdk: Sdk, action: string): Promise<number[]> {
  if (sdk.auditLogs.listSchemas) {
    const all = await (await sdk.auditLogs.listSchemas(action)).autoPagination();
    return all.map(({ version }) => version);
  }
  const versions: number[] = [];
  let after: string | null = "";
  while (after !== null) {
    const query: Record<string, unknown> = {
      limit: 100,
      order: "desc",
      ...(after ? { after } : {}),
    };
    const { data } = await sdk.get(`/audit_logs/actions/${action}/schemas`, { query });
    const page = data as { data: { version: number }[]; list_metadata: { after: string | null } };
    versions.push(...page.data.map(({ version }) => version));
    after = page.list_metadata.after;
  }
  return versions;
}

forEachVersion((it) => {
  const targets = [{ type: "invoice", metadata: { currency: "string" as const } }];

  it("a schema becomes version 1 of its action, in the SDK's own form", async ({ sdk }) => {
    const action = unique("s.made");
    const made = await sdk.auditLogs.createSchema({
      action,
      targets,
      actor: { metadata: { role: "string" } },
      metadata: { total: "number", dry: "boolean" },
    });
    expect(made).toMatchObject({
      version: 1,
      targets,
      actor: { metadata: { role: "string" } },
      metadata: { total: "number", dry: "boolean" },
    });
    expect(Date.parse(made.createdAt)).toBeGreaterThan(Date.now() - 60_000);
  });

  it("the next one is version 2", async ({ sdk }) => {
    const action = unique("s.next");
    const versions = [];
    for (const _ of [1, 2])
      versions.push((await sdk.auditLogs.createSchema({ action, targets })).version);
    expect(versions).toEqual([1, 2]);
  });

  it("without metadata there is none", async ({ sdk }) => {
    const made = await sdk.auditLogs.createSchema({ action: unique("s.bare"), targets });
    expect(made.metadata).toBeUndefined();
  });

  it("the same key makes one version", async ({ sdk }) => {
    const action = unique("s.keyed");
    const create = () =>
      sdk.auditLogs.createSchema({ action, targets }, { idempotencyKey: action });
    expect(await create()).toEqual(await create());
    expect(await listVersions(sdk, action)).toEqual([1]);
  });

  it("no target is an UnprocessableEntityException", async ({ sdk }) => {
    const refused = await failure(
      sdk.auditLogs.createSchema({ action: unique("s.none"), targets: [] }),
    );
    expect(refused).toMatchObject({ name: "UnprocessableEntityException", status: 422 });
    expect(refused.message).toContain("targets");
  });

  it("a wrong key is an UnauthorizedException", async ({ connect }) => {
    const { auditLogs } = await connect({ key: "sk_wrong" });
    expect(await failure(auditLogs.createSchema({ action: "s.no", targets }))).toMatchObject(
      UNAUTHORIZED,
    );
  });

  it("a key of one organization cannot make what all share", async (context) => {
    const options = ["--permissions", "schemas", "--org", context.organizationId];
    const { auditLogs } = await context.connect({ key: await context.makeKey(...options) });
    expect(await failure(auditLogs.createSchema({ action: "s.no", targets }))).toMatchObject({
      status: 403,
    });
  });

  it("versions are listed in both orders, as many as asked for", async ({ sdk }) => {
    const action = unique("s.listed");
    for (const _ of [1, 2, 3]) await sdk.auditLogs.createSchema({ action, targets });
    expect(await listVersions(sdk, action)).toEqual([3, 2, 1]);
    expect(await listVersions(sdk, action, { order: "asc", limit: 2 })).toEqual([1, 2]);
  });

  it("actions are listed with their newest schema", async ({ sdk }) => {
    const action = unique("s.action");
    for (const _ of [1, 2]) await sdk.auditLogs.createSchema({ action, targets });
    const query = { limit: 100, order: "desc" };
    const { data } = await sdk.get("/audit_logs/actions", { query });
    expect((data as { data: { name: string }[] }).data).toContainEqual(
      expect.objectContaining({ name: action, schema: expect.objectContaining({ version: 2 }) }),
    );
  });

  it("an action without schemas is a NotFoundException", async ({ sdk }) => {
    expect(await failure(listVersions(sdk, unique("s.never")))).toMatchObject({
      name: "NotFoundException",
      status: 404,
    });
  });

  it("205 versions are read to the end", async ({ sdk }) => {
    const action = unique("s.many");
    for (let made = 0; made < 205; made += 41)
      await Promise.all(
        Array.from({ length: 41 }, () => sdk.auditLogs.createSchema({ action, targets })),
      );
    const all = await listAll(sdk, action);
    expect(all).toEqual(Array.from({ length: 205 }, (_, n) => 205 - n));
  });
});
