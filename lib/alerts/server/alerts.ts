import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { readPool, writePool } from "@/lib/db/pool";
import { newUlid } from "@/lib/ids";
import { log } from "@/lib/log";
import { type Alert, type Channel, configuredChannels, send } from "./channels";

/** Alerts wait in the database until they are sent, so that none is lost with the process that raised it. */

const AT_ONCE = 20;
/** Between attempts: 10 s, 20 s, 40 s … up to an hour. */
const FIRST_WAIT_S = 10;
const LONGEST_WAIT_S = 3_600;
/** After a week nobody needs to be woken by it. */
const GIVE_UP = "7 days";
const KEPT = "90 days";

/** Queues an alert for every channel that is set up, in the transaction of what it tells of. */
export async function raiseAlert(
  client: pg.PoolClient | pg.Pool,
  { organizationId }: Scope,
  alert: Pick<Alert, "kind" | "title" | "detail" | "path">,
): Promise<void> {
  const channels = configuredChannels();
  if (channels.length === 0) return;
  await client.query(
    `INSERT INTO alerts (organization_id, id, channel, kind, title, detail, path)
     SELECT $1, $2, unnest($3::text[]), $4, $5, $6, $7`,
    [
      organizationId,
      `alert_${newUlid()}`,
      channels,
      alert.kind,
      alert.title,
      alert.detail,
      alert.path,
    ],
  );
}

/** Raises it, unless the same was raised since. */
export async function raiseAlertOnce(
  client: pg.PoolClient | pg.Pool,
  scope: Scope,
  alert: Pick<Alert, "kind" | "title" | "detail" | "path">,
  since: Date,
): Promise<void> {
  const { rowCount } = await client.query(
    "SELECT 1 FROM alerts WHERE organization_id = $1 AND kind = $2 AND title = $3 AND created_at >= $4 LIMIT 1",
    [scope.organizationId, alert.kind, alert.title, since],
  );
  if (rowCount === 0) await raiseAlert(client, scope, alert);
}

interface DueRow {
  organization_id: string;
  id: string;
  channel: Channel;
  kind: string;
  title: string;
  detail: string;
  path: string;
  created_at: Date;
}

/** Sends what is due. What fails is tried again, later each time. @returns how many were sent */
export async function deliverAlerts(): Promise<number> {
  const { rows } = await writePool().query<DueRow>(
    `UPDATE alerts a SET attempts = attempts + 1,
       next_attempt_at = now() + least($1 * 2 ^ least(attempts, 20), $2) * interval '1 second'
     FROM (SELECT organization_id, id, channel FROM alerts
       WHERE sent_at IS NULL AND next_attempt_at <= now() AND created_at > now() - $3::interval
       ORDER BY next_attempt_at LIMIT $4 FOR UPDATE SKIP LOCKED) due
     WHERE a.organization_id = due.organization_id AND a.id = due.id AND a.channel = due.channel
     RETURNING a.*`,
    [FIRST_WAIT_S, LONGEST_WAIT_S, GIVE_UP, AT_ONCE],
  );
  const sent = await Promise.all(rows.map(deliver));
  return sent.filter(Boolean).length;
}

async function deliver(row: DueRow): Promise<boolean> {
  const { organization_id: organizationId, id, channel } = row;
  const alert: Alert = { ...row, organizationId, createdAt: row.created_at };
  let failure: string | null = null;
  try {
    await send(channel, alert);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    log().warn({ alert: id, channel, failure }, "an alert could not be sent");
  }
  await writePool().query(
    `UPDATE alerts SET last_error = $4, sent_at = CASE WHEN $4::text IS NULL THEN now() END
     WHERE organization_id = $1 AND id = $2 AND channel = $3`,
    [organizationId, id, channel, failure],
  );
  return failure === null;
}

export async function deleteOldAlerts(): Promise<void> {
  await writePool().query("DELETE FROM alerts WHERE created_at < now() - $1::interval", [KEPT]);
}

/** Where this organization's alerts go, and the last one on each way. */
export interface AlertState {
  channel: Channel;
  last: { title: string; createdAt: string; sentAt: string | null; error: string | null } | null;
}

export async function readAlertStates({ organizationId }: Scope): Promise<AlertState[]> {
  const { rows } = await readPool().query<{
    channel: Channel;
    title: string;
    created_at: Date;
    sent_at: Date | null;
    last_error: string | null;
  }>(
    `SELECT DISTINCT ON (channel) channel, title, created_at, sent_at, last_error FROM alerts
     WHERE organization_id = $1 ORDER BY channel, created_at DESC, id DESC`,
    [organizationId],
  );
  return configuredChannels().map((channel) => {
    const row = rows.find((known) => known.channel === channel);
    return {
      channel,
      last: row
        ? {
            title: row.title,
            createdAt: row.created_at.toISOString(),
            sentAt: row.sent_at?.toISOString() ?? null,
            error: row.last_error,
          }
        : null,
    };
  });
}
