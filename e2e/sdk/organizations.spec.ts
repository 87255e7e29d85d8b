import { expect } from "../fixtures";
import { eventOf, failure, forEachVersion, UNAUTHORIZED, unique } from "./versions";

forEachVersion((it) => {
  it("an organization is made with what it is given, and read again", async ({ sdk }) => {
    const domain = `${unique("d")}.example`;
    const made = await sdk.organizations.createOrganization({
      name: "Umbrella",
      domainData: [{ domain, state: "verified" as never }],
      externalId: unique("ext"),
      metadata: { plan: "pro" },
    });
    expect(made).toMatchObject({
      object: "organization",
      name: "Umbrella",
      domains: [{ domain, state: "verified" }],
      metadata: { plan: "pro" },
    });
    expect(made.id).toMatch(/^org_[0-9A-Z]{26}$/);
    expect(await sdk.organizations.getOrganization(made.id)).toEqual(made);
  });

  it("one is found by its external id, whatever is in it", async ({ sdk }) => {
    const externalId = `${unique("ext")} a+b:c`;
    const made = await sdk.organizations.createOrganization({ name: "External", externalId });
    const found = await sdk.organizations.getOrganizationByExternalId(externalId);
    expect(found).toEqual(made);
  });

  it("the same key makes one, and with another body it is refused", async ({ sdk }) => {
    const requestOptions = { idempotencyKey: unique("o") };
    const create = (name: string) => sdk.organizations.createOrganization({ name }, requestOptions);
    const made = await create("Once");
    expect(await create("Once")).toEqual(made);
    const refused = await failure(create("Twice"));
    expect(refused).toMatchObject({ name: "BadRequestException", status: 400 });
    expect(refused.message).toContain("with different request parameters was found");
  });

  it("what is named changes, the rest stays", async ({ sdk }) => {
    const { id } = await sdk.organizations.createOrganization({
      name: "Before",
      metadata: { plan: "pro" },
    });
    const changed = await sdk.organizations.updateOrganization({ organization: id, name: "After" });
    expect(changed).toMatchObject({ id, name: "After", metadata: { plan: "pro" } });
  });

  it("they are found by any of their domains, and read to the end", async ({ sdk }) => {
    const domains = Array.from({ length: 12 }, (_, n) => `${unique("p")}${n}.example`);
    const made: string[] = [];
    for (const domain of domains) {
      const { id } = await sdk.organizations.createOrganization({
        name: "Paged",
        domainData: [{ domain, state: "verified" as never }],
      });
      made.push(id);
    }
    const first = await sdk.organizations.listOrganizations({ domains, order: "asc" });
    expect(first.data.map(({ id }) => id)).toEqual(made.slice(0, 10));
    expect(first.listMetadata.before ?? null).toBeNull();
    const all = await first.autoPagination();
    expect(all.map(({ id }) => id)).toEqual(made);
    const limited = await sdk.organizations.listOrganizations({ domains, limit: 5, order: "desc" });
    expect(limited.data.map(({ id }) => id)).toEqual(made.toReversed().slice(0, 5));
    const older = await sdk.organizations.listOrganizations({
      domains,
      limit: 5,
      order: "desc",
      after: limited.listMetadata.after as string,
    });
    expect(older.data.map(({ id }) => id)).toEqual(made.toReversed().slice(5, 10));
  });

  it("a deleted one is not found any more", async ({ sdk }) => {
    const { id } = await sdk.organizations.createOrganization({ name: "Gone" });
    await sdk.organizations.deleteOrganization(id);
    expect(await failure(sdk.organizations.getOrganization(id))).toMatchObject({
      name: "NotFoundException",
      status: 404,
    });
  });

  it("a domain of another is a ConflictException", async ({ sdk }) => {
    const domainData = [{ domain: `${unique("c")}.example`, state: "verified" as never }];
    await sdk.organizations.createOrganization({ name: "First", domainData });
    expect(
      await failure(sdk.organizations.createOrganization({ name: "Second", domainData })),
    ).toMatchObject({ name: "ConflictException", status: 409 });
  });

  it("an external id of another is a BadRequestException", async ({ sdk }) => {
    const externalId = unique("taken");
    await sdk.organizations.createOrganization({ name: "First", externalId });
    expect(
      await failure(sdk.organizations.createOrganization({ name: "Second", externalId })),
    ).toMatchObject({ name: "BadRequestException", code: "external_id_already_used" });
  });

  it("no name is an UnprocessableEntityException", async ({ sdk }) => {
    const refused = await failure(sdk.organizations.createOrganization({ name: "" }));
    expect(refused).toMatchObject({ name: "UnprocessableEntityException", status: 422 });
    expect(refused.message).toContain("name");
  });

  it("a wrong key is an UnauthorizedException", async ({ connect }) => {
    const { organizations } = await connect({ key: "sk_wrong" });
    expect(await failure(organizations.listOrganizations())).toMatchObject(UNAUTHORIZED);
  });

  it("a retention is told in months and read in days", async ({ sdk }) => {
    const { id } = await sdk.organizations.createOrganization({ name: "Kept" });
    const { auditLogs } = sdk;
    // Versions before 10.14 have no methods for it.
    const read = async () =>
      auditLogs.getOrganizationAuditLogsRetention
        ? (await auditLogs.getOrganizationAuditLogsRetention({ id })).retentionPeriodInDays
        : (await sdk.get(`/organizations/${id}/audit_logs_retention`)).data
            .retention_period_in_days;
    expect(await read()).toBeNull();
    if (auditLogs.updateOrganizationAuditLogsRetention)
      await auditLogs.updateOrganizationAuditLogsRetention({ id, retentionPeriod: "3_MONTHS" });
    else
      await sdk.put(`/organizations/${id}/audit_logs_retention`, { retention_period_in_days: 90 });
    expect(await read()).toBe(90);
    const configuration = async () =>
      (await sdk.get(`/organizations/${id}/audit_log_configuration`)).data;
    const told = { organization_id: id, retention_period_in_days: 90 };
    expect(await configuration()).toEqual({ ...told, state: "inactive" });
    await auditLogs.createEvent(id, eventOf("o.first"));
    expect(await configuration()).toEqual({ ...told, state: "active" });
  });

  it("IT contacts are kept, invited, and let go", async ({ sdk }) => {
    const { id: organizationId } = await sdk.organizations.createOrganization({ name: "IT" });
    const { organizations } = sdk;
    if (!organizations.createItContact) {
      const path = `/organizations/${organizationId}/it_contacts`;
      const { data } = await sdk.post(path, { email: "it@a.example" });
      expect((await sdk.get(path)).data).toMatchObject({ data: [{ id: data.id }] });
      return;
    }
    const contact = await organizations.createItContact({ organizationId, email: "it@a.example" });
    const one = { organizationId, contactId: contact.id };
    await organizations.inviteItContact({ ...one, intents: ["log_streams"] });
    await organizations.revokeItContact(one);
    const list = async () =>
      (await organizations.listItContacts({ organizationId })).data.map(({ id }) => id);
    expect(await list()).toEqual([contact.id]);
    await organizations.deleteItContact(one);
    expect(await list()).toEqual([]);
  });
});
