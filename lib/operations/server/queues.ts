import type { InstanceScope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { COUNTED, type Queues } from "../schema";

/** Signing follows within seconds. */
const UNSIGNED_FOR = "5 minutes";

/** What waits, over all organizations: look-ups by the indexes that the workers themselves go by. */
export async function readQueues(_scope: InstanceScope): Promise<Queues> {
  const { rows } = await readPool().query<Queues>(
    `SELECT
       (SELECT count(*) FROM exports WHERE state = 'queued') AS "exportsWaiting",
       (SELECT count(*) FROM exports WHERE state = 'running') AS "exportsRunning",
       (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')) AS verifications,
       (SELECT count(*) FROM alerts WHERE sent_at IS NULL AND attempts > 0) AS "alertsUnsent",
       (SELECT count(*) FROM (SELECT 1 FROM dead_letters WHERE discarded_at IS NULL LIMIT $1) AS set_aside) AS "deadLetters",
       (SELECT coalesce(sum(greatest(h.next_seq - t.cursor_seq, 0)), 0)::bigint
        FROM stream_state t JOIN log_heads h USING (organization_id)
        JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id AND s.deleted_at IS NULL
        WHERE t.lane = 'live') AS "streamLag",
       (SELECT count(*) FROM stream_state t
        JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id AND s.deleted_at IS NULL
        WHERE t.lane = 'live' AND t.state IN ('error', 'disabled')) AS "streamsInError",
       signing.*,
       (SELECT coalesce(sum(greatest(h.next_seq - coalesce(f.next_seq, 0), 0)), 0)::bigint
        FROM log_heads h LEFT JOIN followers f ON f.organization_id = h.organization_id AND f.name = 'rollups')
         AS uncounted
     FROM (SELECT coalesce(sum(greatest(h.next_seq - coalesce(c.signed, 0), 0)), 0)::bigint AS unsigned,
         count(*) FILTER (WHERE h.next_seq > coalesce(c.signed, 0)
           AND h.last_recorded_at < now() - interval '${UNSIGNED_FOR}') AS "unsignedLogs"
       FROM log_heads h LEFT JOIN LATERAL (
         SELECT tree_size AS signed FROM checkpoints c
         WHERE c.organization_id = h.organization_id ORDER BY tree_size DESC LIMIT 1) c ON true) signing`,
    [COUNTED + 1],
  );
  return rows[0] as Queues;
}
