import type { ErrorObject, ValidateFunction } from "ajv";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { translated, unlessAway } from "@/lib/db/explain";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { NewEvent } from "@/lib/events/schema";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { eventSchemaOf } from "../schema";
import { findVersion } from "./action-schemas";
import { findingsOf, makeAjv } from "./validator";

/** How long an answer is believed that may change: that there is no such version yet, and the setting. */
const FRESH_MS = 5_000;
const MAX_CACHED = 2_000;
const UNKNOWN_ACTIONS = "unknown_actions";

const ajv = makeAjv();

/** An error as AJV makes them. */
export type Breach = Pick<
  ErrorObject,
  "instancePath" | "schemaPath" | "keyword" | "params" | "message"
>;

type Verdict =
  | { validate: ValidateFunction }
  | { unknown: "/action" | "/version"; untilMs: number };

const verdicts = new Map<string, Verdict>();
let refusal = { isOn: false, untilMs: 0 };

/** After a new version was made in this process: what was unknown may be known now. */
export function forgetUnknown(): void {
  for (const [key, verdict] of verdicts) if ("unknown" in verdict) verdicts.delete(key);
  refusal.untilMs = 0;
}

async function verdictOn(action: string, version: number): Promise<Verdict> {
  const key = `${version} ${action}`;
  const known = verdicts.get(key);
  if (known && !("unknown" in known && known.untilMs < Date.now())) return known;
  const schema = await unlessAway(() => findVersion(action, version));
  const verdict: Verdict = schema
    ? { validate: ajv.compile(eventSchemaOf(schema)) }
    : {
        unknown: (await unlessAway(() => findVersion(action))) ? "/version" : "/action",
        untilMs: Date.now() + FRESH_MS,
      };
  // The oldest answer makes room: Map keeps the order of insertion.
  const oldest = verdicts.size >= MAX_CACHED ? verdicts.keys().next().value : undefined;
  if (oldest !== undefined) verdicts.delete(oldest);
  verdicts.set(key, verdict);
  return verdict;
}

export type UnknownActions = "accept" | "refuse";

/** Whether events of actions without a schema are taken: they are, unless somebody chose otherwise. */
async function readChoice(): Promise<UnknownActions> {
  const { rows } = await readPool().query<{ value: string }>(
    "SELECT value #>> '{}' AS value FROM settings WHERE key = $1",
    [UNKNOWN_ACTIONS],
  );
  return rows[0]?.value === "refuse" ? "refuse" : "accept";
}

/** What was chosen, as it stands now; what checks events follows within 5 seconds. */
export async function readUnknownActions(_scope: Scope): Promise<UnknownActions> {
  return translated(readChoice);
}

async function refusesUnknownActions(): Promise<boolean> {
  if (refusal.untilMs < Date.now()) {
    const isOn = (await unlessAway(readChoice)) === "refuse";
    refusal = { isOn, untilMs: Date.now() + FRESH_MS };
  }
  return refusal.isOn;
}

/** What of an event breaks the schema of its action in its version; empty: nothing. */
export async function findBreaches(event: NewEvent): Promise<Breach[]> {
  const verdict = await verdictOn(event.action, event.version);
  if ("validate" in verdict) {
    return findingsOf(verdict.validate, event);
  }
  const { unknown } = verdict;
  if (unknown === "/action" && !(await refusesUnknownActions())) return [];
  return [
    {
      instancePath: unknown,
      schemaPath: "#/registered",
      keyword: "registered",
      params: {},
      message:
        unknown === "/action"
          ? "must be an action with a schema: create one first"
          : `must be a version of this action's schema; there is no version ${event.version}`,
    },
  ];
}

/** @throws AppError schema_mismatch with AJV's errors, their pointers relative to the event (contract §3). */
export async function checkEventSchema(event: NewEvent): Promise<void> {
  const errors = await findBreaches(event);
  if (errors.length > 0)
    throw new AppError("schema_mismatch", "Invalid Audit Log event.", { details: { errors } });
}

/** @param choice `accept`: events of actions without a schema are taken; `refuse`: they are answered 400 */
export async function setUnknownActions(
  { toldIn }: InstanceScope,
  choice: UnknownActions,
): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    await client.query(
      "INSERT INTO settings (key, value) VALUES ($1, to_jsonb($2::text)) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
      [UNKNOWN_ACTIONS, choice],
    );
    if (toldIn)
      await appendControlEvent(client, toldIn, {
        action: "trailseal.unknown_actions_changed",
        metadata: { choice },
      });
  });
  forgetUnknown();
}
