import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { unlessAway } from "@/lib/db/explain";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { NewEvent } from "@/lib/events/schema";
import { eventSchemaOf } from "../schema";
import { findVersion } from "./action-schemas";

/** How long an answer is believed that may change: that there is no such version yet, and the setting. */
const FRESH_MS = 5_000;
const MAX_CACHED = 2_000;
const UNKNOWN_ACTIONS = "unknown_actions";

const ajv = new Ajv({ allErrors: true, strict: false, verbose: false, validateFormats: true });
addFormats.default(ajv);

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

/** Whether events of actions without a schema are refused; they are accepted unless somebody chose so. */
export async function refusesUnknownActions(): Promise<boolean> {
  if (refusal.untilMs < Date.now()) {
    const { rows } = await unlessAway(() =>
      readPool().query<{ value: string }>(
        "SELECT value #>> '{}' AS value FROM settings WHERE key = $1",
        [UNKNOWN_ACTIONS],
      ),
    );
    refusal = { isOn: rows[0]?.value === "refuse", untilMs: Date.now() + FRESH_MS };
  }
  return refusal.isOn;
}

/** What of an event breaks the schema of its action in its version; empty: nothing. */
export async function findBreaches(event: NewEvent): Promise<Breach[]> {
  const verdict = await verdictOn(event.action, event.version);
  if ("validate" in verdict) {
    // Metadata that is left out is held against the schema as if it were empty: it may be required.
    const withMetadata = (unit: Record<string, unknown>) => ({
      ...unit,
      metadata: unit.metadata ?? {},
    });
    const isValid = verdict.validate({
      ...event,
      actor: withMetadata(event.actor),
      targets: event.targets.map(withMetadata),
      metadata: event.metadata ?? {},
    });
    return isValid ? [] : (verdict.validate.errors ?? []).filter(isFinding);
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

/** That no target is of a type says enough; why each is not, and that a condition applied, does not help. */
const isFinding = ({ keyword, schemaPath }: ErrorObject) =>
  keyword !== "if" && !/^#\/properties\/targets\/allOf\/\d+\/contains\//.test(schemaPath);

/** @param choice `accept`: events of actions without a schema are taken; `refuse`: they are answered 400 */
export async function setUnknownActions(choice: "accept" | "refuse"): Promise<void> {
  await readPool().query(
    "INSERT INTO settings (key, value) VALUES ($1, to_jsonb($2::text)) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
    [UNKNOWN_ACTIONS, choice],
  );
  forgetUnknown();
}
