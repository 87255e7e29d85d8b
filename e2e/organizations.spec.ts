import {
  BadRequestException,
  ConflictException,
  DomainDataState,
  NotFoundException,
  UnprocessableEntityException,
  WorkOS,
} from "@workos-inc/node";
import { expect, test } from "./fixtures";
import type { TestServer } from "./server";

async function clientOf(server: TestServer): Promise<WorkOS> {
  const { key } = await server.cliJson<{ key: string }>(
    "keys",
    "create",
    "--name",
    "organizations",
  );
  const { hostname, port } = new URL(server.url);
  return new WorkOS(key, { apiHostname: hostname, port: Number(port), https: false });
}

/** Nobody else's: the server is shared with other suites. */
const unique = () => Math.random().toString(36).slice(2);

test("the official SDK creates, finds, changes and deletes an organization", async ({ server }) => {
  const { organizations } = await clientOf(server);
  const [externalId, domain] = [unique(), `${unique()}.example.com`];
  const made = await organizations.createOrganization({
    name: "Halden",
    externalId,
    metadata: { tier: "gold" },
    domainData: [{ domain, state: DomainDataState.Verified }],
  });
  expect(made).toMatchObject({
    object: "organization",
    name: "Halden",
    externalId,
    metadata: { tier: "gold" },
    domains: [{ object: "organization_domain", domain, state: "verified" }],
  });
  expect(made.id).toMatch(/^org_[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(await organizations.getOrganization(made.id)).toEqual(made);
  expect((await organizations.getOrganizationByExternalId(externalId)).id).toBe(made.id);
  const found = await organizations.listOrganizations({ domains: ["other.example", domain] });
  expect(found.data.map(({ id }) => id)).toEqual([made.id]);

  const changed = await organizations.updateOrganization({
    organization: made.id,
    name: "Halden Robotics",
    metadata: { plan: "pro" },
  });
  expect(changed).toMatchObject({
    name: "Halden Robotics",
    metadata: { tier: "gold", plan: "pro" },
    externalId,
  });
  await organizations.deleteOrganization(made.id);
  await expect(organizations.getOrganization(made.id)).rejects.toBeInstanceOf(NotFoundException);
  // What it held is free again; its id is not.
  expect((await organizations.createOrganization({ name: "Next", externalId })).id).not.toBe(
    made.id,
  );
});

test("a key is honoured once, what is taken is refused, and what is wrong is named", async ({
  server,
}) => {
  const { organizations } = await clientOf(server);
  const idempotencyKey = unique();
  const [externalId, domain] = [unique(), `${unique()}.example.com`];
  const body = {
    name: "Once",
    externalId,
    domainData: [{ domain, state: DomainDataState.Pending }],
  };
  const [first, second] = await Promise.all([
    organizations.createOrganization(body, { idempotencyKey }),
    organizations.createOrganization(body, { idempotencyKey }),
  ]);
  expect(second).toEqual(first);
  const create = (given: object, key = unique()) =>
    organizations.createOrganization({ name: "Else", ...given }, { idempotencyKey: key });
  await expect(create({}, idempotencyKey)).rejects.toThrow(
    `Another idempotency key (${idempotencyKey}) with different request parameters was found.`,
  );
  await expect(create({ externalId })).rejects.toMatchObject({ code: "external_id_already_used" });
  await expect(create({ externalId })).rejects.toBeInstanceOf(BadRequestException);
  await expect(
    create({ domainData: [{ domain, state: DomainDataState.Pending }] }),
  ).rejects.toBeInstanceOf(ConflictException);
  await expect(create({ name: "" })).rejects.toBeInstanceOf(UnprocessableEntityException);
  const long = await create({ metadata: { k: "x".repeat(601) } }).catch((error: unknown) => error);
  expect((long as Error).message).toContain("metadata.k must be at most 600 characters");
});

test("lists go on to their end in both orders", async ({ server }) => {
  const { organizations } = await clientOf(server);
  const name = `Listed ${unique()}`;
  const made: string[] = [];
  for (let number = 0; number < 23; number += 1)
    made.push((await organizations.createOrganization({ name })).id);
  const ids = async (order: "asc" | "desc") => {
    const list = await organizations.listOrganizations({ order, search: name } as never);
    return (await list.autoPagination()).map(({ id }) => id);
  };
  expect(await ids("asc")).toEqual(made);
  expect(await ids("desc")).toEqual(made.toReversed());
});

test("retention speaks both dialects, and the configuration tells what is so", async ({
  server,
}) => {
  const workos = await clientOf(server);
  const { id } = await workos.organizations.createOrganization({ name: "Kept" });
  const { auditLogs } = workos;
  expect(await auditLogs.getOrganizationAuditLogsRetention({ id })).toEqual({
    retentionPeriodInDays: null,
  });
  expect(
    await auditLogs.updateOrganizationAuditLogsRetention({ id, retentionPeriod: "3_MONTHS" }),
  ).toEqual({ retentionPeriodInDays: 90 });
  const put = (body: object) =>
    fetch(`${server.url}/organizations/${id}/audit_logs_retention`, {
      method: "PUT",
      headers: { Authorization: `Bearer ${workos.key}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const days = await put({ retention_period_in_days: 365 });
  expect([days.status, await days.json()]).toEqual([200, { retention_period_in_days: 365 }]);
  expect((await put({ retention_period: "1_YEAR", retention_period_in_days: 30 })).status).toBe(
    422,
  );
  expect((await put({})).status).toBe(422);
  const configuration = await fetch(`${server.url}/organizations/${id}/audit_log_configuration`, {
    headers: { Authorization: `Bearer ${workos.key}` },
  });
  expect(await configuration.json()).toEqual({
    organization_id: id,
    retention_period_in_days: 365,
    state: "active",
  });
});
