import type { FindingList } from "./findings";
import type { Snapshot } from "./snapshot";

/** Differences that one statement names; the first of them is what is shown. */
const MOST = 21;

const ROLLUPS = {
  rollup_hourly: {
    counted: "to_char(date_trunc('hour', occurred_at), 'YYYY-MM-DD\"T\"HH24')",
    stored: "to_char(hour, 'YYYY-MM-DD\"T\"HH24')",
  },
  rollup_actions_daily: {
    counted: "occurred_at::date || ' ' || action",
    stored: "day || ' ' || action",
  },
  rollup_keys_hourly: {
    counted: "to_char(date_trunc('hour', recorded_at), 'YYYY-MM-DD\"T\"HH24 ') || api_key_id",
    stored: "to_char(hour, 'YYYY-MM-DD\"T\"HH24 ') || api_key_id",
  },
};

/**
 * Counts the events below the follower's cursor again, in the walk's own snapshot, and compares the rollups
 * with that.
 * @param isPruned whether rows that the rollups once counted are gone by pruning
 */
export async function checkRollups(
  snapshot: Snapshot,
  findings: FindingList,
  followed: number,
  isPruned: boolean,
): Promise<void> {
  for (const [table, { counted, stored }] of Object.entries(ROLLUPS)) {
    const rows = await snapshot.query(
      `SELECT key, coalesce(stored.events, 0), coalesce(counted.events, 0), first_seq
       FROM (SELECT ${counted} AS key, count(*) AS events, min(seq) AS first_seq FROM events
             WHERE organization_id = $1 AND seq < $2 GROUP BY 1 HAVING ${counted} IS NOT NULL) counted
       FULL JOIN (SELECT ${stored} AS key, events FROM ${table} WHERE organization_id = $1) stored USING (key)
       WHERE coalesce(stored.events, 0) ${isPruned ? "<" : "<>"} coalesce(counted.events, 0)
       ORDER BY first_seq, key LIMIT ${MOST}`,
      followed,
    );
    for (const [key, has, should, first] of rows)
      findings.add({
        kind: "projection_mismatch",
        seq: first ? Number(first) : null,
        detail: `${table} says ${has} event(s) at ${key}, the log has ${should}`,
      });
  }
}
