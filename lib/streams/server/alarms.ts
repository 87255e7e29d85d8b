import { raiseAlert } from "@/lib/alerts/server/alerts";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { log } from "@/lib/log";
import { LOST_UNNAMED } from "../problems";
import { lastErrorSchema, type StreamAlarm, type StreamState } from "../schema";

/**
 * Who has to know that a stream is in trouble: once when it begins, again while it lasts, and when it is over. What was
 * told stands in `stream_state.alerted`, written with the alert.
 */

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Days of failing after which people are told again; after seven the stream is switched off. */
const TELLING_DAYS = [1, 3, 6];
const dayWord = (days: number) => `day ${days}`;
const LAG = "lag";
const RETENTION = "retention";
/** Told once a day: a receiver that refuses something in every request says so in each. */
const lossWord = (at: string) => `loss ${at.slice(0, 10)}`;
/** Words of `alerted` that stand for a failing receiver. */
export const FAILING = ["error", "disabled", ...TELLING_DAYS.map(dayWord)];

interface WatchedRow {
  organization_id: string;
  stream_id: string;
  name: string;
  state: StreamState;
  alerted: string[];
  last_error: unknown;
  first_failure_at: Date | null;
  lag_alert_minutes: number;
  retention_days: number | null;
  retention_undelivered: "hold" | "delete";
  oldest: Date | null;
  now: Date;
}

const OLDEST = `LEFT JOIN LATERAL (SELECT e.recorded_at FROM events e
    WHERE e.organization_id = t.organization_id AND e.seq >= t.cursor_seq AND t.cursor_seq < h.next_seq
    ORDER BY e.seq LIMIT 1) waiting ON true`;

/** Looks at every stream that fails or waits, and tells what is new. @returns how many alerts were raised */
export async function alertOnStreams(): Promise<number> {
  const { rows } = await writePool().query<WatchedRow>(
    `SELECT t.organization_id, t.stream_id, s.name, t.state, t.alerted, t.last_error, t.first_failure_at,
       s.lag_alert_minutes, coalesce(o.retention_days, $2) AS retention_days,
       o.retention_undelivered, waiting.recorded_at AS oldest, now() AS now
     FROM stream_state t
     JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id AND s.deleted_at IS NULL
     JOIN log_heads h ON h.organization_id = t.organization_id
     JOIN organizations o ON o.id = t.organization_id
     ${OLDEST}
     WHERE t.lane = 'live'
       AND (t.alerted <> '{}' OR t.state IN ('degraded', 'error', 'disabled') OR t.cursor_seq < h.next_seq
         OR t.last_error ->> 'code' = $1)`,
    [LOST_UNNAMED, getEnv().TRAILSEAL_RETENTION_DAYS ?? null],
  );
  let raised = 0;
  for (const row of rows) raised += await tell(row);
  return raised;
}

interface Tale {
  kind: string;
  title: string;
  detail: string;
}

/** Another worker may be telling the same: whoever changes the words tells. */
async function tell(row: WatchedRow): Promise<number> {
  const { words, tales } = judge(row);
  if (words.join() === row.alerted.join()) return 0;
  return inTransaction(writePool(), async (client) => {
    const { rowCount } = await client.query(
      `UPDATE stream_state SET alerted = $3
       WHERE organization_id = $1 AND stream_id = $2 AND lane = 'live' AND alerted = $4`,
      [row.organization_id, row.stream_id, words, row.alerted],
    );
    if (rowCount !== 1) return 0;
    for (const tale of tales) {
      const path = `/o/${row.organization_id}/integrity/streams/${row.stream_id}`;
      await raiseAlert(client, systemScope("worker", row.organization_id), { ...tale, path });
      log().warn({ stream_id: row.stream_id, kind: tale.kind }, tale.title);
    }
    return tales.length;
  });
}

/** What is to be told of a stream now, and what counts as told then. */
function judge(row: WatchedRow): { words: string[]; tales: Tale[] } {
  const { state, alerted, now } = row;
  const error = lastErrorSchema.safeParse(row.last_error).data;
  const cause = error ? `${error.message} ${error.advice}` : "";
  const words = new Set(alerted);
  const tales: Tale[] = [];
  const add = (word: string, kind: string, does: string, detail: string) => {
    if (words.has(word)) return;
    words.add(word);
    tales.push({ kind, title: `The stream “${row.name}” ${does}`, detail: detail.trim() });
  };
  const hadFailed = FAILING.some((word) => words.has(word));

  if (state === "disabled") {
    const why = `${cause} Resume it when the receiver is back: it goes on where it stopped.`;
    add("disabled", "stream.disabled", "is switched off", why);
  } else if (state === "error" || state === "degraded") {
    const failingMs = row.first_failure_at ? now.getTime() - row.first_failure_at.getTime() : 0;
    if (state === "error") add("error", "stream.failing", "fails", cause);
    // After a long silence one message is enough.
    const days = TELLING_DAYS.filter((day) => failingMs >= day * DAY_MS).at(-1);
    if (days !== undefined) {
      const left = `It is switched off after seven days. ${cause}`;
      add(dayWord(days), "stream.failing", `has failed for ${days} d`, left);
    }
  } else if (state === "active" && hadFailed) {
    for (const word of FAILING) words.delete(word);
    tales.push({
      kind: "stream.recovered",
      title: `The stream “${row.name}” delivers again`,
      detail: "It goes on where it stopped.",
    });
  }

  const waitedMs = row.oldest ? now.getTime() - row.oldest.getTime() : 0;
  const limitMs = row.lag_alert_minutes * MINUTE_MS;
  const isWorking = state === "active" || state === "degraded";
  if (isWorking && limitMs > 0 && waitedMs >= limitMs) {
    const minutes = Math.floor(waitedMs / MINUTE_MS);
    add(LAG, "stream.lagging", "lags", `Its oldest event has waited for ${minutes} min. ${cause}`);
  } else if (words.has(LAG) && (!isWorking || waitedMs < limitMs / 2)) {
    words.delete(LAG);
    if (state === "active")
      tales.push({
        kind: "stream.recovered",
        title: `The stream “${row.name}” has caught up`,
        detail: "Its events are delivered in time again.",
      });
  }

  const lost = error?.code === LOST_UNNAMED ? lossWord(error.at) : null;
  for (const word of words) if (word.startsWith("loss") && word !== lost) words.delete(word);
  if (lost) add(lost, "stream.loss", "lost events at its receiver", cause);

  const goneAt = retentionEnd(row.oldest, row.retention_days);
  if (goneAt && isNear(goneAt, row)) {
    const when = goneAt.toISOString();
    const why = (outcome: string) =>
      `Its oldest event is past retention at ${when}${outcome}. Let it deliver, or keep events for longer.`;
    if (row.retention_undelivered === "delete")
      add(
        RETENTION,
        "stream.retention",
        "may lose events to retention",
        why(" and goes undelivered"),
      );
    else
      add(
        RETENTION,
        "stream.retention",
        "holds back retention",
        why(", and stays until it is delivered"),
      );
  } else words.delete(RETENTION);
  return { words: [...words], tales };
}

/** When the period of an event that was received then is over; the instance's grace comes on top. */
export const retentionEnd = (receivedAt: Date | null, days: number | null): Date | null =>
  receivedAt && days !== null ? new Date(receivedAt.getTime() + days * DAY_MS) : null;

/** Three days ahead; where events are kept for less than six, half of that. */
const isNear = (goneAt: Date, { retention_days, now }: WatchedRow) =>
  goneAt.getTime() - now.getTime() < Math.min(3, (retention_days ?? 0) / 2) * DAY_MS;

/** Streams that somebody has to look at, for every page: one look-up by key. */
export async function readStreamAlarms({ organizationId }: Scope): Promise<StreamAlarm[]> {
  const { rows } = await readPool().query<{
    id: string;
    name: string;
    state: StreamState;
    alerted: string[];
    last_error: unknown;
  }>(
    `SELECT s.id, s.name, t.state, t.alerted, t.last_error FROM stream_state t
     JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id
     WHERE t.organization_id = $1 AND t.lane = 'live' AND s.deleted_at IS NULL
       AND (t.state IN ('error', 'disabled') OR t.alerted <> '{}')
     ORDER BY s.created_at, s.id`,
    [organizationId],
  );
  return rows.flatMap(({ id: streamId, name, state, alerted, last_error }): StreamAlarm[] => {
    const error = lastErrorSchema.safeParse(last_error).data?.message ?? "";
    const alarm = (kind: StreamAlarm["kind"], message: string) => [
      { streamId, name, kind, message: message.trim() },
    ];
    const isFailing = state === "error" || alerted.some((word) => word.startsWith("day"));
    return [
      ...(state === "disabled" ? alarm("disabled", `It is switched off. ${error}`) : []),
      ...(isFailing && state !== "disabled" ? alarm("failing", error) : []),
      ...(alerted.includes(LAG) ? alarm("lagging", "Its events wait too long.") : []),
      ...(alerted.includes(RETENTION)
        ? alarm("retention", "Events may be deleted before they are delivered.")
        : []),
    ];
  });
}
