import { setImmediate as othersFirst } from "node:timers/promises";
import type { ValidateFunction } from "ajv";
import type { Scope } from "@/lib/auth/scope";
import { readRows } from "@/lib/events/server/read";
import { Prisma } from "@/lib/generated/prisma/client";
import { eventSchemaOf, type NewActionSchema, type Trial } from "../schema";
import { findVersion } from "./action-schemas";
import { type Checked, findingsOf, makeAjv } from "./validator";

const MAX_EVENTS = 1_000;
const BATCH = 200;
const MAX_EXAMPLES = 10;
const MAX_FINDINGS = 3;
/** After this the rest stays unchecked. */
const BUDGET_MS = 1_000;
/** Everybody else waits for the same process: at most so long at a time. */
const SLICE_MS = 20;
/** What was imported may carry longer texts than the API lets in, on which a pattern could take for ever. */
const MAX_MATCHED = 500;

class TooLong extends Error {}
class OutOfTime extends Error {}

let deadlineMs = 0;

class BoundedPattern extends RegExp {
  override test(text: string): boolean {
    if (text.length > MAX_MATCHED) throw new TooLong();
    if (Date.now() > deadlineMs) throw new OutOfTime();
    return super.test(text);
  }
}

const ajv = makeAjv({
  regExp: Object.assign((pattern: string, flags: string) => new BoundedPattern(pattern, flags), {
    code: "",
  }),
});

interface StoredEvent extends Checked {
  id: string;
  seq: number;
  occurred_at: Date;
}

/**
 * Holds the newest events of an action in this organization against a schema, as if each were sent with it.
 * Erased events are passed over: what they said is gone.
 * @throws AppError timeout, unavailable
 */
export async function trySchema(
  scope: Scope,
  action: string,
  schema: NewActionSchema,
): Promise<Trial> {
  const { targets, actor = null, metadata = null } = schema;
  const eventSchema = eventSchemaOf({ targets, actor, metadata });
  const validate = ajv.compile(eventSchema);
  // The compiler keeps what it compiled, and every keystroke brings another.
  ajv.removeSchema(eventSchema);
  const endMs = Date.now() + BUDGET_MS;
  const version = ((await findVersion(action))?.version ?? 0) + 1;
  const counts = { checked: 0, rejected: 0, unchecked: 0 };
  const trial: Trial = { ...counts, reach: "all", version, examples: [] };
  let last: StoredEvent | null = null;
  for (let read = 0; read < MAX_EVENTS; read += BATCH) {
    const events = await readEvents(scope, action, last);
    let sliceEndMs = Date.now() + SLICE_MS;
    for (const event of events) {
      if (Date.now() > sliceEndMs) {
        await othersFirst();
        sliceEndMs = Date.now() + SLICE_MS;
      }
      // Set each time: another trial may have had its turn.
      deadlineMs = endMs;
      if (!judge(validate, event, trial)) return { ...trial, reach: "time" };
    }
    if (events.length < BATCH) return trial;
    last = events.at(-1) ?? null;
    if (Date.now() > endMs && read + BATCH < MAX_EVENTS) return { ...trial, reach: "time" };
  }
  return { ...trial, reach: "newest" };
}

/** @returns whether there is time for the next one */
function judge(validate: ValidateFunction, event: StoredEvent, trial: Trial): boolean {
  try {
    const findings = findingsOf(validate, event);
    trial.checked += 1;
    if (findings.length === 0) return true;
    trial.rejected += 1;
    if (trial.examples.length < MAX_EXAMPLES)
      trial.examples.push({
        id: event.id,
        occurredAt: event.occurred_at.toISOString(),
        findings: findings.slice(0, MAX_FINDINGS).map(({ instancePath, message, params }) => ({
          pointer: instancePath,
          message: [message, ...namedIn(params)].join(": "),
        })),
      });
    return true;
  } catch (error) {
    if (error instanceof OutOfTime) return false;
    if (!(error instanceof TooLong)) throw error;
    trial.unchecked += 1;
    return true;
  }
}

/** What the message leaves out: the values that are allowed, the key that is not. */
function namedIn({ allowedValues, allowedValue, additionalProperty }: Record<string, unknown>) {
  const named = allowedValues ?? allowedValue ?? additionalProperty;
  return named === undefined ? [] : [JSON.stringify(named)];
}

function readEvents(scope: Scope, action: string, after: StoredEvent | null) {
  const beyond = after
    ? Prisma.sql`AND (e.occurred_at, e.seq) < (${after.occurred_at}::timestamptz, ${after.seq}::bigint)`
    : Prisma.empty;
  return readRows<StoredEvent>(Prisma.sql`
    SELECT e.id, e.seq::float8 AS seq, e.occurred_at, e.actor, e.targets, e.metadata FROM events e
    WHERE e.organization_id = ${scope.organizationId} AND e.action = ${action} AND e.erased IS NULL ${beyond}
    ORDER BY e.occurred_at DESC, e.seq DESC LIMIT ${BATCH}`);
}
