import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { EventRow } from "../schema";
import type { FirstTime } from "../timeline";
import { readRows } from "./read";

/** Rows looked at for one question; nearly always the first row answers it. */
const NEAR = 200;
/** For what is still open then: rows looked at for all questions of a page together. */
const DEEP = 10_000;

interface Question {
  row: EventRow;
  what: FirstTime["what"];
  value: string | null;
}

/**
 * What each row's actor did in it for the first time ever, by event id: against everything kept, by index.
 * Where a busy actor's long past would have to be read, at most DEEP rows of it; `within` then says how
 * many. @param rows newest first
 */
export async function readFirstTimes(
  scope: Scope,
  rows: readonly EventRow[],
): Promise<Map<string, FirstTime[]>> {
  const asked = questionsOf(rows);
  const near = await ask(scope, asked, NEAR);
  const open = asked.filter((_, index) => near[index] === "open");
  const depth = open.length > 0 ? Math.max(NEAR, Math.floor(DEEP / open.length)) : 0;
  const deep = depth > NEAR ? await ask(scope, open, depth) : open.map(() => "open" as const);
  const found = new Map<string, FirstTime[]>();
  const add = ({ row, what }: Question, within: number | null) =>
    found.set(row.id, [...(found.get(row.id) ?? []), { what, within }]);
  for (const [index, question] of asked.entries()) if (near[index] === "none") add(question, null);
  for (const [index, question] of open.entries())
    if (deep[index] !== "known") add(question, deep[index] === "none" ? null : depth);
  return found;
}

/** For each actor, and each of its addresses and actions, the oldest row alone: the others come after it. */
function questionsOf(rows: readonly EventRow[]): Question[] {
  const asked = new Map<string, Question>();
  for (const row of rows) {
    const values = { seen: null, ip: row.location, action: row.action };
    for (const [what, value] of Object.entries(values) as [FirstTime["what"], string | null][])
      if (what === "seen" || value !== null)
        asked.set(JSON.stringify([row.actor, what, value]), { row, what, value });
  }
  return [...asked.values()];
}

type Answer = "known" | "none" | "open";

/** Whether there is an older event of the same kind, as far as `depth` rows of an index tell. */
async function ask(scope: Scope, asked: Question[], depth: number): Promise<Answer[]> {
  if (asked.length === 0) return [];
  const list = (pick: (question: Question) => string | number | null) => asked.map(pick);
  const questions = Prisma.sql`SELECT n, what, actor_id COLLATE "C" AS actor_id, actor_type COLLATE "C" AS actor_type,
      value COLLATE "C" AS value, at::timestamptz AS at, seq
    FROM unnest(${list(({ what }) => what)}::text[], ${list(({ row }) => row.actor.id)}::text[],
      ${list(({ row }) => row.actor.type)}::text[], ${list(({ value }) => value)}::text[],
      ${list(({ row }) => row.occurredAt)}::text[], ${list(({ row }) => row.seq)}::bigint[])
      WITH ORDINALITY AS q(what, actor_id, actor_type, value, at, seq, n)`;
  // The first row that answers, or the last one looked at; none when there were fewer.
  const look = (index: Prisma.Sql, hit: Prisma.Sql) => Prisma.sql`(
    SELECT CASE WHEN r.hit THEN 'known' ELSE 'open' END FROM (
      SELECT e.hit, row_number() OVER () AS at FROM (
        SELECT (e.actor_type = q.actor_type AND ${hit}) AS hit FROM events e
        WHERE e.organization_id = ${scope.organizationId} AND ${index} AND (e.occurred_at, e.seq) < (q.at, q.seq)
        ORDER BY e.occurred_at DESC, e.seq DESC LIMIT ${depth}) e) r
    WHERE r.hit OR r.at = ${depth} LIMIT 1)`;
  const isActor = Prisma.sql`e.actor_id = q.actor_id`;
  const byValue = Prisma.sql`CASE q.what WHEN 'ip' THEN ${look(Prisma.sql`e.location = q.value`, isActor)}
    WHEN 'action' THEN ${look(Prisma.sql`e.action = q.value`, isActor)} ELSE 'open' END`;
  const isValue = Prisma.sql`CASE q.what WHEN 'ip' THEN e.location = q.value WHEN 'action' THEN e.action = q.value ELSE true END`;
  const rows = await readRows<{ answer: Answer }>(Prisma.sql`
    SELECT coalesce(CASE WHEN q.answer = 'open' THEN ${look(isActor, isValue)} ELSE q.answer END, 'none') AS answer
    FROM (SELECT q.*, ${byValue} AS answer FROM (${questions}) q OFFSET 0) q ORDER BY q.n`);
  return rows.map(({ answer }) => answer);
}
