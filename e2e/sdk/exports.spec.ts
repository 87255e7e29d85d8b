import { expect } from "../fixtures";
import { parseCsv } from "../fixtures/csv";
import { type Context, eventOf, failure, forEachVersion, UNAUTHORIZED, unique } from "./versions";

const RANGE = {
  rangeStart: new Date("2026-01-01T00:00:00.000Z"),
  rangeEnd: new Date("2026-02-01T00:00:00.000Z"),
};

async function untilReady({ sdk }: Context, id: string) {
  await expect.poll(async () => (await sdk.auditLogs.getExport(id)).state).not.toBe("pending");
  return sdk.auditLogs.getExport(id);
}

/** An organization of its own with events of two actions, three of each. */
async function withEvents({ sdk }: Context): Promise<string> {
  const { id } = await sdk.organizations.createOrganization({ name: "Exported" });
  for (const action of ["x.read", "x.written"])
    for (const n of [1, 2, 3])
      await sdk.auditLogs.createEvent(id, {
        ...eventOf(action),
        actor: { type: "user", id: `usr_${n}`, name: `User ${n}` },
        targets: [{ type: n === 3 ? "team" : "doc", id: `t_${n}` }],
      });
  return id;
}

forEachVersion((it) => {
  it("an export is pending, then ready with a link to its rows", async (context) => {
    const organizationId = await withEvents(context);
    const made = await context.sdk.auditLogs.createExport({ organizationId, ...RANGE });
    expect(made).toMatchObject({ object: "audit_log_export", state: "pending" });
    expect(made.url).toBeUndefined();
    const ready = await untilReady(context, made.id);
    expect(ready).toMatchObject({ id: made.id, state: "ready" });
    const file = await fetch(ready.url as string);
    expect(file.status).toBe(200);
    expect(parseCsv(await file.text())).toHaveLength(6);
  });

  it("its filters hold together: actions, names and ids of actors, types of targets", async (context) => {
    const organizationId = await withEvents(context);
    const count = async (filter: object) => {
      const range = { organizationId, ...RANGE };
      const { id } = await context.sdk.auditLogs.createExport({ ...range, ...filter });
      const { url } = await untilReady(context, id);
      return parseCsv(await (await fetch(url as string)).text()).length;
    };
    expect(await count({ actions: ["x.read"] })).toBe(3);
    expect(await count({ actorNames: ["User 1", "User 2"] })).toBe(4);
    expect(await count({ actorIds: ["usr_3"], targets: ["team"] })).toBe(2);
    expect(await count({ actions: ["x.read"], targets: ["doc"] })).toBe(2);
    expect(await count({ actions: ["x.never"] })).toBe(0);
    expect(await count({ rangeEnd: new Date("2026-01-02T00:00:00.000Z") })).toBe(0);
  });

  it("its link is made anew by every read", async (context) => {
    const { organizationId, sdk } = context;
    const { id } = await sdk.auditLogs.createExport({ organizationId, ...RANGE });
    const { url: first } = await untilReady(context, id);
    await expect.poll(async () => (await sdk.auditLogs.getExport(id)).url).not.toBe(first);
    expect((await fetch(first as string)).status).toBe(200);
  });

  it("a range that ends before it starts is a BadRequestException", async ({
    sdk,
    organizationId,
  }) => {
    const range = { rangeStart: RANGE.rangeEnd, rangeEnd: RANGE.rangeStart };
    expect(await failure(sdk.auditLogs.createExport({ organizationId, ...range }))).toMatchObject({
      name: "BadRequestException",
      code: "invalid_audit_log_export_range_date",
      message: "Invalid date range",
    });
  });

  it("an unknown organization, and an unknown export, are NotFoundExceptions", async ({ sdk }) => {
    const elsewhere = sdk.auditLogs.createExport({ organizationId: "org_123", ...RANGE });
    expect(await failure(elsewhere)).toMatchObject({ name: "NotFoundException", status: 404 });
    expect(
      await failure(sdk.auditLogs.getExport("audit_log_export_01JZ8QC5H7K9N1Q3S5V7X9Z1B3")),
    ).toMatchObject({ name: "NotFoundException", status: 404 });
  });

  it("a wrong key is an UnauthorizedException", async ({ connect, organizationId }) => {
    const { auditLogs } = await connect({ key: "sk_wrong" });
    const made = auditLogs.createExport({ organizationId, ...RANGE });
    expect(await failure(made)).toMatchObject(UNAUTHORIZED);
    const read = auditLogs.getExport("audit_log_export_01JZ8QC5H7K9N1Q3S5V7X9Z1B3");
    expect(await failure(read)).toMatchObject(UNAUTHORIZED);
  });

  it("an export of another organization is not found", async (context) => {
    const { organizationId, sdk } = context;
    const { id } = await sdk.auditLogs.createExport({ organizationId, ...RANGE });
    const { id: other } = await sdk.organizations.createOrganization({ name: unique("Other") });
    const key = await context.makeKey("--permissions", "exports", "--org", other);
    const { auditLogs } = await context.connect({ key });
    expect(await failure(auditLogs.getExport(id))).toMatchObject({ name: "NotFoundException" });
  });
});
