import { expect } from "../fixtures";
import { type Context, eventOf, failure, forEachVersion, UNAUTHORIZED, unique } from "./versions";

forEachVersion((it) => {
  const send = (
    { sdk, organizationId }: Context,
    event: object,
    options?: { idempotencyKey: string },
  ) => sdk.auditLogs.createEvent(organizationId, event as ReturnType<typeof eventOf>, options);

  it("an event is stored, and nothing is returned", async (context) => {
    const action = unique("a.stored");
    expect(await send(context, eventOf(action))).toBeUndefined();
    expect(await context.stored(action)).toEqual([
      {
        version: 1,
        occurred_at: new Date("2026-01-02T03:04:05.678Z"),
        actor: { type: "user", id: "usr_1", metadata: { role: "owner" } },
        targets: [{ type: "team", id: "team_1" }],
        context: { location: "203.0.113.9", user_agent: "e2e" },
        metadata: { amount: 129.5, dry: false },
      },
    ]);
  });

  it("the same key twice stores one event", async (context) => {
    const action = unique("a.keyed");
    for (const _ of [1, 2]) await send(context, eventOf(action), { idempotencyKey: action });
    expect(await context.stored(action)).toHaveLength(1);
  });

  it("another key stores another event", async (context) => {
    const action = unique("a.keys");
    for (const n of [1, 2])
      await send(context, eventOf(action), { idempotencyKey: `${action}${n}` });
    expect(await context.stored(action)).toHaveLength(2);
  });

  it("the same key with another event stores both", async (context) => {
    const action = unique("a.reused");
    const options = { idempotencyKey: action };
    await send(context, eventOf(action), options);
    await send(context, { ...eventOf(action), metadata: { amount: 1 } }, options);
    expect(await context.stored(action)).toHaveLength(2);
  });

  it("keys that the SDK makes differ from call to call", async (context) => {
    const action = unique("a.auto");
    for (const _ of [1, 2]) await send(context, eventOf(action));
    expect(await context.stored(action)).toHaveLength(2);
  });

  it("twenty at once are twenty", async (context) => {
    const action = unique("a.many");
    await Promise.all(Array.from({ length: 20 }, () => send(context, eventOf(action))));
    expect(await context.stored(action)).toHaveLength(20);
  });

  it("names of actors and targets, and metadata of targets, are kept", async (context) => {
    const action = unique("a.named");
    const actor = { type: "user", id: "u", name: "Ünï ☃ 𝄞" };
    const targets = [
      { type: "doc", id: "d", name: "D", metadata: { pages: 3 } },
      { type: "team", id: "t" },
    ];
    await send(context, { ...eventOf(action), actor, targets });
    expect(await context.stored(action)).toMatchObject([{ actor, targets }]);
  });

  it("a context without user agent, and no targets, are taken", async (context) => {
    const action = unique("a.bare");
    await send(context, { ...eventOf(action), targets: [], context: { location: "internal" } });
    expect(await context.stored(action)).toMatchObject([
      { targets: [], context: { location: "internal" } },
    ]);
  });

  it("a wrong key is an UnauthorizedException", async (context) => {
    const sdk = await context.connect({ key: "sk_wrong" });
    const event = eventOf(unique("a.no"));
    expect(await failure(sdk.auditLogs.createEvent(context.organizationId, event))).toMatchObject(
      UNAUTHORIZED,
    );
  });

  it("a key without the permission is told so", async (context) => {
    const key = await context.makeKey("--permissions", "events:read");
    const sdk = await context.connect({ key });
    const event = eventOf(unique("a.no"));
    expect(await failure(sdk.auditLogs.createEvent(context.organizationId, event))).toMatchObject({
      status: 403,
      message: "This API key does not have the permission for this.",
    });
  });

  it("an unknown organization is a NotFoundException that names it", async ({ sdk }) => {
    expect(await failure(sdk.auditLogs.createEvent("org_123", eventOf("a.no")))).toMatchObject({
      name: "NotFoundException",
      message: "Organization not found: 'org_123'.",
      code: "entity_not_found",
    });
  });

  for (const [what, change, word] of [
    ["an actor without id", { actor: { type: "user" } }, "required"],
    ["an actor without type", { actor: { id: "u" } }, "required"],
    ["no action", { action: undefined }, "required"],
    ["a target without id", { targets: [{ type: "doc" }] }, "required"],
    ["nested metadata", { metadata: { a: { b: 1 } } }, "metadata.a"],
    ["metadata with a name of 41 characters", { metadata: { ["n".repeat(41)]: 1 } }, "metadata"],
    ["metadata with a text of 501 characters", { metadata: { a: "x".repeat(501) } }, "metadata.a"],
    [
      "metadata of 51 entries",
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, n])) },
      "metadata",
    ],
    ["an action of ours", { action: "trailseal.forged" }, "reserved"],
  ] as const) {
    it(`${what} is an UnprocessableEntityException in readable words`, async (context) => {
      const action = unique("a.no");
      const refused = await failure(send(context, { ...eventOf(action), ...change }));
      expect(refused).toMatchObject({ name: "UnprocessableEntityException", status: 422 });
      expect(refused.message).toContain(word);
      expect(await context.stored(action)).toEqual([]);
    });
  }

  it("what breaks its schema is a BadRequestException with pointers into the event", async (context) => {
    const action = unique("a.held");
    await context.sdk.auditLogs.createSchema({
      action,
      targets: [{ type: "invoice" }],
      metadata: { amount: "number" },
    });
    const event = { ...eventOf(action), metadata: { amount: "much" } };
    const refused = await failure(send(context, event));
    expect(refused).toMatchObject({
      name: "BadRequestException",
      code: "invalid_audit_log_event",
      message: "Invalid Audit Log event.",
    });
    const { errors } = refused as unknown as { errors: { instancePath: string }[] };
    expect(errors.map(({ instancePath }) => instancePath).sort()).toEqual([
      "/metadata/amount",
      "/targets",
    ]);
    expect(await context.stored(action)).toEqual([]);
    await send(context, {
      ...eventOf(action),
      targets: [
        { type: "team", id: "t" },
        { type: "invoice", id: "i" },
      ],
    });
    expect(await context.stored(action)).toHaveLength(1);
  });

  it("a version is kept, and one that there is not is refused", async (context) => {
    const action = unique("a.versioned");
    const schema = { action, targets: [{ type: "team" }] };
    await context.sdk.auditLogs.createSchema(schema);
    await context.sdk.auditLogs.createSchema(schema);
    await send(context, { ...eventOf(action), version: 2 });
    expect(await context.stored(action)).toMatchObject([{ version: 2 }]);
    expect(await failure(send(context, { ...eventOf(action), version: 3 }))).toMatchObject({
      name: "BadRequestException",
      errors: [{ instancePath: "/version", keyword: "registered" }],
    });
  });
});
