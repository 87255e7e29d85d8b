import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { parseImportedEvent } from "@/lib/events/schema";
import { toWireEvent } from "@/lib/events/wire";
import { mapCloudTrailRecord } from "@/lib/import/cloudtrail";
import type { StreamEvent } from "../destination";

/** What the tests of formats share; no test itself. */

export const ORGANIZATION = "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH";
const ID = "audit_event_01JZ8QF2M4P6R8T0V2X4Z6B8D0";
const HASH = "5e".repeat(32);
const PREVIOUS_HASH = "4d".repeat(32);

/** @throws Error when it is not an event that the log would take */
export function itemOf(input: object): StreamEvent {
  const parsed = parseImportedEvent(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const event = toWireEvent(ORGANIZATION, { ...parsed.value, id: ID });
  const recordedAt = "2026-03-05T07:59:41.003Z";
  const hashes = { chainHash: HASH, previousHash: PREVIOUS_HASH };
  return { kind: "event", seq: 41, ...hashes, recordedAt, event };
}

/** The event of the contract's worked examples (§16, 1), with what strains a format: `=`, `|`, `\`, newlines, accents. */
export const voided = itemOf({
  action: "invoice.voided",
  version: 2,
  occurred_at: "2026-03-05T07:59:40.512Z",
  actor: { type: "user", id: "usr_88", name: "Mei Tan", metadata: { role: "finance" } },
  targets: [
    { type: "invoice", id: "inv_4410", metadata: { currency: "SGD" } },
    { type: "user", id: "usr_7", name: "Zoë | Ng" },
  ],
  context: { location: "203.0.113.9", user_agent: "Mozilla/5.0 (a=b)", session: "s_1" },
  metadata: { invoice_total: 129.5, dry_run: false, "note.text": "C:\\x = 1\nend" },
});

export const signIn = itemOf({
  action: "user.sign_in_failed",
  occurred_at: "2026-03-05T08:00:00Z",
  actor: { type: "user", id: "usr_88", name: "Mei Tan" },
  targets: [{ type: "team", id: "team_3", name: "Finance" }],
  context: { location: "2001:DB8:0::9" },
  metadata: { errorCode: "bad_password", errorMessage: "Wrong password" },
});

const ERASED = { type: "erased", id: "erased" };
export const erased: StreamEvent = {
  ...voided,
  event: { ...voided.event, actor: ERASED, targets: [ERASED], context: undefined },
};

const made = itemOf({
  action: "stream.test",
  occurred_at: "2026-03-05T08:00:00Z",
  actor: { type: "system", id: "trailseal", name: "Trailseal" },
  targets: [],
  metadata: { checkpoint: "log.example/org\n42\nq83vASNFZ4k=\n\n— log.example/org AAAA\n" },
});
const OUTSIDE = { seq: null, chainHash: null, previousHash: null };
/** What is made outside the chain: no sequence number, no hash. */
export const outside = (kind: "test" | "checkpoint"): StreamEvent => ({
  ...made,
  kind,
  ...OUTSIDE,
  event: { ...made.event, action: `trailseal.${kind}` },
});

const text = fc.oneof(
  fc.constantFrom(
    "=",
    "a=b",
    "|",
    "\\",
    "\\n",
    "a\r\nb",
    " x ",
    "k=v k2=v2",
    "日本",
    "::1",
    "10.0.0.1",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
);
const safe = (_: string, value: unknown) =>
  typeof value === "number" ? Math.min(value, Number.MAX_SAFE_INTEGER) % 1e15 : value;
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value), safe));
const metadata = fc.dictionary(text, json, { maxKeys: 4 });
const unit = fc.record(
  {
    type: fc.oneof(fc.constantFrom("user", "system"), text),
    id: text,
    name: text,
    metadata,
    x: json,
  },
  { requiredKeys: ["type", "id"] },
);
const event = fc.record(
  {
    action: fc.oneof(
      fc.constantFrom("user.signed_in", "auth.logout", "iam.GetUser", "a.b_denied", "role.updated"),
      text,
    ),
    version: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    occurred_at: fc
      .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
      .map((date) => date.toISOString()),
    actor: unit,
    targets: fc.array(unit, { maxLength: 3 }),
    context: fc.record({ location: text, user_agent: text, x: json }, { requiredKeys: [] }),
    metadata,
  },
  { requiredKeys: ["action", "occurred_at", "actor", "targets"] },
);

/** Any event that the log takes, and the same erased or outside the chain. */
export const anyItem: fc.Arbitrary<StreamEvent> = fc
  .tuple(event, fc.constantFrom("as it is", "erased", "test", "checkpoint"))
  .filter(([input]) => parseImportedEvent(input).ok)
  .map(([input, change]) => {
    const item = itemOf(input);
    if (change === "as it is") return item;
    if (change === "erased")
      return {
        ...item,
        event: { ...item.event, actor: ERASED, targets: item.event.targets.map(() => ERASED) },
      };
    return { ...item, ...OUTSIDE, kind: change as "test" | "checkpoint" };
  });

const data = process.env.TRAILSEAL_TEST_DATA ?? "../shared/data";
export const cloudTrailFolder = path.join(data, "cloudtrail");
export const ocsfFolder = path.join(data, "ocsf");

/** Every record of a real trail. */
export function cloudTrailItems(): StreamEvent[] {
  const files = readdirSync(cloudTrailFolder).filter((name) => name.endsWith(".json"));
  return files.flatMap((name) => {
    const content = readFileSync(path.join(cloudTrailFolder, name), "utf8");
    const { Records } = JSON.parse(content) as { Records: unknown[] };
    return Records.map((record) => itemOf(mapCloudTrailRecord(record).event));
  });
}
