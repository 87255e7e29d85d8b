import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import type { TrailMarks } from "../schema";
import { readVerifiedTo } from "./log-status";
import { readBreak } from "./log-watch";

/** Of the events that nothing covers yet, whose own times are looked at. */
const SAMPLE = 10_000;

/**
 * The state of the log along a chart's buckets. The trail is open from where the first event that is not verified
 * and signed was received, or from an earlier time that one of the next 10,000 has.
 * @param bounds of the buckets, epoch milliseconds
 */
export async function readTrailMarks(scope: Scope, bounds: number[]): Promise<TrailMarks> {
  const { organizationId } = scope;
  const [verifiedTo, found] = await Promise.all([readVerifiedTo(scope), readBreak(scope)]);
  const { rows } = await readPool().query<{
    open_ms: number | null;
    broken_ms: number | null;
    checkpoints: number[];
  }>(
    `WITH signed AS (
       SELECT coalesce(max(tree_size), 0) AS size FROM checkpoints
       WHERE organization_id = $1 AND origin = (SELECT origin FROM log_heads WHERE organization_id = $1))
     SELECT
       (SELECT (extract(epoch FROM least(min(recorded_at), min(occurred_at))) * 1000)::float8 FROM (
         SELECT recorded_at, occurred_at FROM events
         WHERE organization_id = $1 AND seq >= least($2::bigint, (SELECT size FROM signed))
         ORDER BY seq LIMIT ${SAMPLE}) AS open) AS open_ms,
       (SELECT (extract(epoch FROM occurred_at) * 1000)::float8 FROM events
         WHERE organization_id = $1 AND seq >= $3 ORDER BY seq LIMIT 1) AS broken_ms,
       ARRAY(SELECT at - 1 FROM generate_series(1, cardinality($4::timestamptz[]) - 1) AS at
         WHERE EXISTS (SELECT 1 FROM checkpoints c WHERE c.organization_id = $1
           AND c.created_at >= ($4::timestamptz[])[at] AND c.created_at < ($4::timestamptz[])[at + 1])
         ORDER BY at) AS checkpoints`,
    [
      organizationId,
      (verifiedTo ?? -1) + 1,
      found?.seq ?? null,
      bounds.map((bound) => new Date(bound).toISOString()),
    ],
  );
  const [row] = rows;
  return {
    checkpoints: row?.checkpoints ?? [],
    openFromMs: row?.open_ms ?? null,
    broken: found && { seq: found.seq, atMs: row?.broken_ms ?? null },
  };
}
