import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { EventFilter } from "../filter/ast";
import { READ_ACTIONS } from "../reads";
import { TAIL_BUFFER, type TailRow, type TailStep } from "../tail";
import { ROW_COLUMNS, type StoredRow, toEventRow } from "./list";
import { readRows } from "./read";
import { demandUnhidden } from "./read-sight";
import { eventsOf } from "./seen";
import { ofOrganization, whereFilter } from "./where";

/** Sequence numbers that one statement reads. */
const STEP = 10_000;
/** Further behind than this a tail goes on at the head. */
const MAX_BEHIND = 100_000;
/** Senders side by side deliver in no exact order; that alone makes nothing late. */
const LATE_MS = 1_000;

export interface TailRequest {
  filter: EventFilter;
  /** ISO 8601, included; null: no bound. Asked for again at each step, since a relative range moves. */
  from(): string | null;
}

/**
 * The number of the newest event; -1 in an empty log. Read before a list, nothing falls between the list and
 * a tail that starts here; what both have is the same event twice.
 */
export async function readHeadSeq({ organizationId }: Scope): Promise<number> {
  const [head] = await readRows<{ seq: number }>(
    Prisma.sql`SELECT (h.next_seq - 1)::float8 AS seq FROM log_heads h WHERE h.organization_id = ${organizationId}`,
  );
  return head?.seq ?? -1;
}

/**
 * Matching events numbered above `after`, at most STEP numbers on; `head` is a number that was read from the
 * log's head, so that everything up to it is committed.
 * @throws AppError invalid_filter for what is hidden from the reader, timeout or unavailable
 */
export async function readTail(
  scope: Scope,
  request: TailRequest,
  after: number,
  head: number,
): Promise<TailStep> {
  demandUnhidden(scope.sight, request.filter);
  if (head - after > MAX_BEHIND) return { seq: head, rows: [], skipped: { count: null } };
  const to = Math.min(head, after + STEP);
  if (to <= after) return { seq: after, rows: [], skipped: null };
  const rows = await readStep(scope, request, after, to);
  if (rows.length <= TAIL_BUFFER) return { seq: to, rows, skipped: null };
  return {
    seq: head,
    rows: [],
    skipped: { count: await countMatching(scope, request, after, head) },
  };
}

/** What somebody reads meanwhile is no news to them. */
function whereTail(
  { organizationId, principal }: Scope,
  { filter, from }: TailRequest,
): Prisma.Sql {
  const start = from();
  const bound = start ? Prisma.sql` AND e.occurred_at >= ${start}::timestamptz` : Prisma.empty;
  const own = "id" in principal ? principal.id : principal.kind;
  const others = Prisma.sql`NOT (e.action IN (${Prisma.join([...READ_ACTIONS])}) AND e.actor_id IS NOT DISTINCT FROM ${own})`;
  return Prisma.sql`${whereFilter(organizationId, filter)}${bound} AND ${others}`;
}

/**
 * `newest` is the latest time stored up to each event. An event of the future makes nothing late by itself:
 * what had happened by the time of receipt counts. Who sees a part of the log is told of nothing beside it.
 */
async function readStep(
  scope: Scope,
  request: TailRequest,
  after: number,
  to: number,
): Promise<TailRow[]> {
  const ofOrg = ofOrganization(scope.organizationId);
  const rows = await readRows<StoredRow & { late: boolean }>(Prisma.sql`
    WITH before AS (
      SELECT e.occurred_at FROM events e WHERE ${ofOrg} AND e.seq <= ${after}::bigint${
        scope.sight ? Prisma.sql` AND false` : Prisma.empty
      }
      ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1
    )
    SELECT ${ROW_COLUMNS},
      least(greatest(e.newest, (SELECT b.occurred_at FROM before b)), e.recorded_at)
        > e.occurred_at + ${`${LATE_MS} ms`}::interval AS late
    FROM (
      SELECT e.*, max(e.occurred_at) OVER (ORDER BY e.seq) AS newest
      FROM ${eventsOf(scope)} WHERE ${ofOrg} AND e.seq > ${after}::bigint AND e.seq <= ${to}::bigint
    ) e
    WHERE ${whereTail(scope, request)} ORDER BY e.seq LIMIT ${TAIL_BUFFER + 1}`);
  return rows.map((row) => ({ ...toEventRow(row), isLate: row.late }));
}

async function countMatching(
  scope: Scope,
  request: TailRequest,
  after: number,
  to: number,
): Promise<number> {
  const [row] = await readRows<{ count: number }>(
    Prisma.sql`SELECT count(*)::float8 AS count FROM ${eventsOf(scope)}
      WHERE ${whereTail(scope, request)} AND e.seq > ${after}::bigint AND e.seq <= ${to}::bigint`,
  );
  return row?.count ?? 0;
}
