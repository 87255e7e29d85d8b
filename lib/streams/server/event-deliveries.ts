import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { type FilterableEvent, matches } from "@/lib/events/filter/match";
import { labelOf } from "../registry";
import type { EventDelivery, StreamAttempt } from "../schema";
import { ATTEMPT_COLUMNS, type AttemptRow, toAttempt } from "./attempts";
import { parseStreamFilter } from "./filter";

interface PlaceRow {
  id: string;
  name: string;
  destination: string;
  filter: string;
  start_seq: number;
  cursor_seq: number;
  /** Its filter or format was another when the stream passed this event. */
  is_changed_since: boolean;
  is_skipped: boolean;
  reason: string | null;
  discarded_at: Date | null;
}

/**
 * What became of one event on each stream of the organization.
 * @throws AppError not_found
 */
export async function eventDeliveries(
  { organizationId, permissions }: Scope,
  seq: number,
): Promise<EventDelivery[]> {
  const key = [organizationId, seq];
  const [events, places, attempts] = await Promise.all([
    readPool().query<FilterableEvent>(
      `SELECT id, action, version, actor, targets, context, metadata FROM events
       WHERE organization_id = $1 AND seq = $2`,
      key,
    ),
    readPool().query<PlaceRow>(
      `SELECT s.id, s.name, s.destination, s.filter, coalesce(t.from_seq, 0) AS start_seq, t.cursor_seq,
         $2 < coalesce(s.compared_from, 0) AS is_changed_since,
         t.skipped @> $2::bigint AS is_skipped, d.reason, d.discarded_at
       FROM streams s
       JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id AND t.lane = 'live'
       LEFT JOIN dead_letters d ON d.organization_id = s.organization_id AND d.stream_id = s.id AND d.seq = $2
       WHERE s.organization_id = $1 AND s.deleted_at IS NULL ORDER BY s.created_at, s.id`,
      key,
    ),
    readPool().query<AttemptRow & { stream_id: string }>(
      `SELECT DISTINCT ON (a.stream_id) a.stream_id, ${ATTEMPT_COLUMNS} FROM stream_attempts a
       WHERE a.organization_id = $1 AND a.from_seq <= $2 AND a.to_seq > $2
         AND (a.seqs IS NULL OR $2 = ANY(a.seqs))
       ORDER BY a.stream_id, a.id DESC`,
      key,
    ),
  ]);
  const [event] = events.rows;
  if (!event) throw new AppError("not_found", `There is no event #${seq}.`);
  return places.rows.map((place): EventDelivery => {
    const found = attempts.rows.find(({ stream_id }) => stream_id === place.id);
    const { stream_id: _, ...row } = found ?? { stream_id: "" };
    const attempt = found ? toAttempt(row as AttemptRow) : null;
    return {
      canOpen: permissions.has("streams:manage"),
      streamId: place.id,
      name: place.name,
      destinationLabel: labelOf(place.destination),
      ...fateOf(place, seq, event, attempt),
    };
  });
}

function fateOf(
  place: PlaceRow,
  seq: number,
  event: FilterableEvent,
  attempt: StreamAttempt | null,
): Pick<EventDelivery, "state" | "attempt" | "reason"> {
  if (place.reason !== null) {
    const reason = place.discarded_at ? `${place.reason} It was given up.` : place.reason;
    return { state: "set_aside", attempt, reason };
  }
  if (seq >= place.cursor_seq) return { state: "waiting", attempt, reason: null };
  const none = { attempt: null, reason: null };
  if (place.is_skipped)
    return { ...none, state: "passed_over", reason: "Somebody moved the stream past it." };
  // A backfill may have brought it.
  if (seq < place.start_seq)
    return attempt?.outcome === "delivered"
      ? { state: "delivered", attempt, reason: null }
      : { ...none, state: "before" };
  const today = place.is_changed_since
    ? "The stream's filter or format was changed since: this is by today's."
    : null;
  if (!isTaken(place.filter, event)) {
    const reason = today ?? "The stream's filter does not take it.";
    return { ...none, state: "passed_over", reason };
  }
  return { state: "delivered", attempt, reason: today };
}

/** A filter that cannot be read takes nothing further; what lies behind the cursor went out before that. */
function isTaken(text: string, event: FilterableEvent): boolean {
  try {
    const filter = parseStreamFilter(text);
    return filter === null || matches(filter, event);
  } catch {
    return true;
  }
}
