import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { matches } from "@/lib/events/filter/match";
import { type RangeEstimate, type RangeInput, rangeSchema } from "../work-schema";
import { parseStreamFilter } from "./filter";

/** Events that an estimate looks at, wherever they lie. */
const SAMPLE = 2_000;
/** Fewer than this in a sample say little about the rest. */
const ENOUGH = 10;

interface Bounds {
  firstSeq: number;
  nextSeq: number;
}

/** @throws AppError not_found */
async function readBounds({ organizationId }: Scope): Promise<Bounds> {
  const { rows } = await readPool().query<{ first_seq: number; next_seq: number }>(
    "SELECT first_seq, next_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  );
  const [head] = rows;
  if (!head) throw new AppError("not_found", "There is no such organization.");
  return { firstSeq: head.first_seq, nextSeq: head.next_seq };
}

/** The first event received at or after `time`: received times never decrease, so halving finds it. */
export async function seqAt({ organizationId }: Scope, time: string): Promise<number> {
  const { rows } = await readPool().query<{ low: number }>(
    `WITH RECURSIVE search (low, high) AS (
       SELECT first_seq, next_seq FROM log_heads WHERE organization_id = $1
       UNION ALL
       SELECT CASE WHEN found.is_before THEN (low + high) / 2 + 1 ELSE low END,
         CASE WHEN found.is_before THEN high ELSE (low + high) / 2 END
       FROM search CROSS JOIN LATERAL (
         SELECT coalesce((SELECT e.recorded_at < $2 FROM events e
           WHERE e.organization_id = $1 AND e.seq = (low + high) / 2), false) AS is_before) found
       WHERE low < high)
     SELECT low FROM search WHERE low >= high LIMIT 1`,
    [organizationId, new Date(time)],
  );
  return rows[0]?.low ?? 0;
}

/**
 * The range that somebody asked for, end exclusive.
 * @throws AppError invalid_request for one that is empty or not all there
 */
export async function resolveRange(
  scope: Scope,
  input: Pick<RangeInput, "fromSeq" | "fromTime" | "toSeq" | "toTime">,
): Promise<{ fromSeq: number; toSeq: number }> {
  const { fromTime, toTime } = input;
  const { firstSeq, nextSeq } = await readBounds(scope);
  const refuse = (field: string, code: string) =>
    new AppError("invalid_request", code, { errors: [{ field, code }] });
  const fromSeq = fromTime ? await seqAt(scope, fromTime) : Number(input.fromSeq);
  const toSeq = toTime ? await seqAt(scope, toTime) : Number(input.toSeq ?? nextSeq);
  if (fromSeq < firstSeq)
    throw refuse("fromSeq", `Events below #${firstSeq} are not kept any more: begin there.`);
  if (toSeq > nextSeq) throw refuse("toSeq", `The log ends before #${nextSeq}.`);
  if (fromSeq >= toSeq)
    throw refuse(
      fromTime ? "fromTime" : "fromSeq",
      "There is no event in this range. Begin earlier or end later.",
    );
  return { fromSeq, toSeq };
}

/**
 * How many events a range holds, and about how many of them a filter takes. It looks at 2,000 at most.
 * @throws AppError as resolveRange, and invalid_filter
 */
export async function estimateRange(scope: Scope, input: RangeInput): Promise<RangeEstimate> {
  const { filter: text, ...ends } = rangeSchema.parse(input);
  const filter = parseStreamFilter(text);
  const { fromSeq, toSeq } = await resolveRange(scope, ends);
  const events = toSeq - fromSeq;
  const range = { fromSeq, toSeq, events };
  if (!filter) return { ...range, matching: { count: events, precision: "exact" } };
  const step = Math.max(1, events / SAMPLE);
  const { rows } = await readPool().query(
    `SELECT e.id, e.action, e.version, e.actor, e.targets, e.context, e.metadata
     FROM generate_series(0, $3::integer - 1) AS at
     JOIN events e ON e.organization_id = $1 AND e.seq = $2::bigint + floor(at * $4::float8)::bigint`,
    [scope.organizationId, fromSeq, Math.min(events, SAMPLE), step],
  );
  const found = rows.filter((row) => matches(filter, row)).length;
  if (events <= SAMPLE) return { ...range, matching: { count: found, precision: "exact" } };
  if (found < ENOUGH) return { ...range, matching: { count: found, precision: "at_least" } };
  const count = Number(((found / rows.length) * events).toPrecision(2));
  return { ...range, matching: { count, precision: "about" } };
}
