import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import Ajv, { type ValidateFunction } from "ajv/dist/2020";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { testSeed } from "@/lib/events/filter/test-arbitraries";
import type { StreamEvent } from "../destination";
import { ocsf } from "./ocsf";
import {
  anyItem,
  cloudTrailFolder,
  cloudTrailItems,
  erased,
  ORGANIZATION,
  ocsfFolder,
  outside,
  signIn,
  voided,
} from "./test-items";

const wire = (item: StreamEvent) => JSON.parse(JSON.stringify(ocsf(item)));
const actionOf = (action: string) => wire({ ...voided, event: { ...voided.event, action } });

describe("OCSF 1.8.0", () => {
  it("an event is API Activity, every field in its place", () => {
    expect(wire(voided)).toEqual({
      category_uid: 6,
      category_name: "Application Activity",
      class_uid: 6003,
      class_name: "API Activity",
      activity_id: 4,
      activity_name: "Delete",
      type_uid: 600304,
      type_name: "API Activity: Delete",
      time: 1772697580512,
      severity_id: 1,
      severity: "Informational",
      message: "Mei Tan: invoice.voided on invoice inv_4410 and 1 more",
      metadata: {
        version: "1.8.0",
        product: { name: "Trailseal", vendor_name: "Trailseal" },
        uid: "audit_event_01JZ8QF2M4P6R8T0V2X4Z6B8D0",
        tenant_uid: ORGANIZATION,
        event_code: "invoice.voided",
        log_version: "2",
        logged_time: 1772697581003,
        sequence: 41,
      },
      actor: { user: { uid: "usr_88", name: "Mei Tan", type_id: 1, type: "User" } },
      api: { operation: "invoice.voided" },
      resources: [
        { uid: "inv_4410", type: "invoice", data: { metadata: { currency: "SGD" } } },
        { uid: "usr_7", name: "Zoë | Ng", type: "user" },
      ],
      src_endpoint: { ip: "203.0.113.9" },
      http_request: { user_agent: "Mozilla/5.0 (a=b)" },
      unmapped: {
        chain_hash: "5e".repeat(32),
        prev_hash: "4d".repeat(32),
        recorded_at: "2026-03-05T07:59:41.003Z",
        actor: { type: "user", metadata: { role: "finance" } },
        context: { session: "s_1" },
        metadata: { invoice_total: 129.5, dry_run: false, "note.text": "C:\\x = 1\nend" },
      },
    });
  });

  it("signing in is Authentication of the user to what was signed in to, with its status", () => {
    const user = { uid: "usr_88", name: "Mei Tan", type_id: 1, type: "User" };
    expect(wire(signIn)).toMatchObject({
      category_uid: 3,
      class_uid: 3002,
      activity_id: 1,
      activity_name: "Logon",
      type_uid: 300201,
      type_name: "Authentication: Logon",
      status_id: 2,
      status: "Failure",
      status_code: "bad_password",
      status_detail: "Wrong password",
      actor: { user },
      user,
      service: { uid: "team_3", name: "Finance" },
      src_endpoint: { ip: "2001:db8::9" },
      unmapped: { targets: [{ type: "team", id: "team_3", name: "Finance" }] },
    });
    expect(wire(signIn)).not.toHaveProperty("api");
    const alone = { ...signIn, event: { ...signIn.event, targets: [], context: {} } };
    expect(wire(alone).service).toEqual({ uid: ORGANIZATION });
    expect(wire(alone)).not.toHaveProperty("src_endpoint");
  });

  it.each([
    ["user.signed_out", 300202],
    ["signin.ConsoleLogin", 300201],
    ["secret.read.denied", 600302],
    ["kms.ScheduleKeyDeletion", 600304],
    ["role.updated", 600303],
    ["project.created", 600301],
    ["sts.AssumeRole", 600399],
  ])("%s has type_uid %i", (action, type) => {
    expect(actionOf(action)).toMatchObject({ type_uid: type });
  });

  it("an unknown verb is told in the source's words", () => {
    expect(actionOf("sts.AssumeRole")).toMatchObject({ activity_name: "sts.AssumeRole" });
  });

  it("a location that is no address is a name; an absent one is unknown; what is erased says so", () => {
    const at = (location: string) =>
      wire({ ...voided, event: { ...voided.event, context: { location } } }).src_endpoint;
    expect(at("rds.amazonaws.com")).toEqual({ name: "rds.amazonaws.com" });
    expect(at("10.0.0.1 ")).toEqual({ name: "10.0.0.1 " });
    expect(at("")).toEqual({ name: "unknown" });
    expect(wire(erased)).toMatchObject({
      actor: { user: { uid: "erased", type_id: 99, type: "erased" } },
      resources: [{ uid: "erased", type: "erased" }],
      src_endpoint: { name: "unknown" },
    });
  });

  it("what is outside the chain carries its kind as a label, and neither sequence nor hash", () => {
    const test = wire(outside("test"));
    expect(test.metadata).toMatchObject({ labels: ["test"], event_code: "trailseal.test" });
    expect(test.metadata).not.toHaveProperty("sequence");
    expect(test.unmapped).not.toHaveProperty("chain_hash");
    expect(test.actor.user).toMatchObject({ type_id: 3, type: "System" });
  });

  it("the status is what the metadata says, and absent when it says nothing", () => {
    const statusOf = (metadata: object) =>
      wire({ ...voided, event: { ...voided.event, metadata } }).status;
    expect([{ status: "succeeded" }, { success: true }].map(statusOf)).toEqual(
      Array(2).fill("Success"),
    );
    expect([{ outcome: "denied" }, { success: false }, { errorCode: "x" }].map(statusOf)).toEqual(
      Array(3).fill("Failure"),
    );
    expect(statusOf({ status: "archived" })).toBeUndefined();
  });
});

const hasSchemas = existsSync(ocsfFolder);
const hasTrail = existsSync(cloudTrailFolder);

describe.skipIf(!hasSchemas)(`against the schemas (skipped without ${ocsfFolder})`, () => {
  const validators = new Map<number, ValidateFunction>();
  let trail: StreamEvent[] = [];

  beforeAll(() => {
    const ajv = new Ajv({ strict: false });
    for (const [uid, name] of [
      [3002, "authentication"] as const,
      [6003, "api_activity"] as const,
    ]) {
      const schema = readFileSync(path.join(ocsfFolder, `${name}.schema.json`), "utf8");
      validators.set(uid, ajv.compile(JSON.parse(schema)));
    }
    if (hasTrail) trail = cloudTrailItems();
  });

  const problems = (event: { class_uid: number }) => {
    const validate = validators.get(event.class_uid) as ValidateFunction;
    return validate(event) ? null : validate.errors;
  };

  it.skipIf(!hasTrail)(
    `every event of a real trail is valid (skipped without ${cloudTrailFolder})`,
    () => {
      expect(trail).toHaveLength(2_900);
      expect(trail.map(wire).filter(problems)).toEqual([]);
    },
  );

  it("every event that the log takes is valid, erased and outside the chain too", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        expect(problems(wire(item))).toBeNull();
      }),
      { seed: testSeed(), numRuns: 200 },
    );
    for (const item of [voided, signIn, erased, outside("test"), outside("checkpoint")])
      expect(problems(wire(item))).toBeNull();
  });

  it("the check would notice: without api or service, with an unknown field, with another class's type", () => {
    const { api: _, ...withoutApi } = wire(voided);
    expect(problems(withoutApi)).toMatchObject([{ params: { missingProperty: "api" } }]);
    const { service: __, ...withoutService } = wire(signIn);
    expect(problems(withoutService)).not.toBeNull();
    expect(problems({ ...wire(voided), chain_hash: "x" })).not.toBeNull();
    expect(problems({ ...wire(voided), type_uid: 300201 })).not.toBeNull();
  });
});
