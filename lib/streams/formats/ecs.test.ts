import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testSeed } from "@/lib/events/filter/test-arbitraries";
import type { StreamEvent } from "../destination";
import { ecs } from "./ecs";
import { anyItem, erased, ORGANIZATION, outside, signIn, voided } from "./test-items";

const wire = (item: StreamEvent) => JSON.parse(JSON.stringify(ecs(item)));

/** Names of fields as an index has them, with every value. */
function leaves(value: unknown, path: string): [path: string, value: unknown][] {
  if (Array.isArray(value)) return value.flatMap((member) => leaves(member, path));
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, `${path}.${key}`));
}

const FIELDS = [
  ..."@timestamp ecs.version message tags organization.id error.code error.message".split(" "),
  ..."kind module dataset id action category type outcome created sequence hash"
    .split(" ")
    .map((name) => `event.${name}`),
  ..."user.id user.name user.target.id user.target.name related.ip related.user".split(" "),
  ..."source.address source.ip user_agent.original audit.context".split(" "),
  ...["actor", "targets"].flatMap((unit) =>
    ["type", "id", "name", "metadata", "others"].map((name) => `audit.${unit}.${name}`),
  ),
];

describe("Elastic Common Schema", () => {
  it("an event, every field in its place", () => {
    expect(wire(voided)).toEqual({
      "@timestamp": "2026-03-05T07:59:40.512Z",
      ecs: { version: "8.17.0" },
      message: "Mei Tan: invoice.voided on invoice inv_4410 and 1 more",
      event: {
        kind: "event",
        module: "trailseal",
        dataset: "trailseal.audit",
        id: "audit_event_01JZ8QF2M4P6R8T0V2X4Z6B8D0",
        action: "invoice.voided",
        category: ["api"],
        type: ["deletion"],
        outcome: "unknown",
        created: "2026-03-05T07:59:41.003Z",
        sequence: 41,
        hash: "5e".repeat(32),
      },
      organization: { id: ORGANIZATION },
      user: { id: "usr_88", name: "Mei Tan", target: { id: "usr_7", name: "Zoë | Ng" } },
      source: { address: "203.0.113.9", ip: "203.0.113.9" },
      related: { ip: ["203.0.113.9"], user: ["usr_88", "Mei Tan", "usr_7", "Zoë | Ng"] },
      user_agent: { original: "Mozilla/5.0 (a=b)" },
      labels: {
        schema_version: "2",
        prev_hash: "4d".repeat(32),
        invoice_total: "129.5",
        dry_run: "false",
        note_text: "C:\\x = 1\nend",
      },
      audit: {
        actor: { type: "user", id: "usr_88", name: "Mei Tan", metadata: '{"role":"finance"}' },
        targets: [
          { type: "invoice", id: "inv_4410", metadata: '{"currency":"SGD"}' },
          { type: "user", id: "usr_7", name: "Zoë | Ng" },
        ],
        context: '{"session":"s_1"}',
      },
    });
  });

  it("a failed sign-in is authentication that starts and fails, with its error", () => {
    expect(wire(signIn)).toMatchObject({
      event: { category: ["authentication"], type: ["start"], outcome: "failure" },
      error: { code: "bad_password", message: "Wrong password" },
      source: { address: "2001:DB8:0::9", ip: "2001:db8::9" },
      related: { ip: ["2001:db8::9"], user: ["usr_88", "Mei Tan"] },
    });
  });

  it("what is erased says so and invents nothing; what is outside the chain is tagged", () => {
    expect(wire(erased)).toMatchObject({
      user: { id: "erased" },
      audit: { actor: { type: "erased", id: "erased" }, targets: [{ type: "erased" }] },
    });
    for (const field of ["source", "user_agent"]) expect(wire(erased)).not.toHaveProperty(field);
    const checkpoint = wire(outside("checkpoint"));
    expect(checkpoint.tags).toEqual(["checkpoint"]);
    expect(checkpoint.event).not.toHaveProperty("sequence");
    expect(checkpoint.event).not.toHaveProperty("hash");
    expect(checkpoint.labels.checkpoint).toMatch(/^log\.example\/org\n42\n/);
  });

  it.each([
    ["user.signed_out", "authentication", ["end"]],
    ["user.created", "iam", ["creation", "user"]],
    ["team.member_removed", "iam", ["deletion", "group"]],
    ["iam.AttachRolePolicy", "iam", ["creation", "admin"]],
    ["ec2.CreateSecurityGroup", "api", ["creation"]],
    ["user.viewed", "api", ["access"]],
    ["secret.read_denied", "api", ["access", "denied"]],
    ["sts.AssumeRole", "api", ["info"]],
  ])("%s is %s %j", (action, category, type) => {
    const { event } = wire({ ...voided, event: { ...voided.event, action } });
    expect(event).toMatchObject({ category: [category], type });
  });

  it("labels that would meet are kept apart, nested values are text, null is absent", () => {
    const metadata = { "a.b": 1, a_b: { c: [1] }, schema_version: "x", " ": true, gone: null };
    const { labels } = wire({ ...voided, event: { ...voided.event, metadata } });
    expect(labels).toEqual({
      schema_version: "2",
      prev_hash: "4d".repeat(32),
      a_b: "1",
      a_b_: '{"c":[1]}',
      schema_version_: "x",
      _: "true",
    });
  });

  it("a label of ours is ours, also where we have nothing to say in it", () => {
    const metadata = { prev_hash: "forged" };
    const first = { ...voided, previousHash: null, event: { ...voided.event, metadata } };
    expect(wire(first).labels).toEqual({ schema_version: "2", prev_hash_: "forged" });
  });

  it("whatever an event holds, no field is an object in one event and a value in another", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const { labels, ...fields } = wire(item);
        const isOdd = ([path, value]: [string, unknown]) =>
          !FIELDS.includes(path.slice(1)) ||
          typeof value !== (path === ".event.sequence" ? "number" : "string");
        expect(leaves(fields, "").filter(isOdd)).toEqual([]);
        const isOddLabel = ([name, value]: [string, unknown]) =>
          !/^[^\s.]([^.]*[^\s.])?$/.test(name) || typeof value !== "string";
        expect(Object.entries(labels).filter(isOddLabel)).toEqual([]);
        const { metadata = {} } = item.event as { metadata?: object };
        const kept = Object.values(metadata).filter((value) => value !== null);
        expect(Object.keys(labels)).toHaveLength(kept.length + (item.previousHash ? 2 : 1));
      }),
      { seed: testSeed(), numRuns: 200 },
    );
  });
});
