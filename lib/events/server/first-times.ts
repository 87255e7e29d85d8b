import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { EventRow } from "../schema";
import { type FirstTime, isNewer } from "../timeline";
import { readRows } from "./read";
import { ofOrganization } from "./where";

/** Rows looked at for one question, in the index of its value and in its actor's: nearly always enough. */
const NEAR = 12;
/** For what is still open then: rows of the actors' own past, shared among so many actors at most. */
const DEEP = 3_000;
const DEEP_ACTORS = 6;

interface Question {
  row: EventRow;
  what: FirstTime["what"];
  value: string | null;
}

type Answer = "known" | "none" | "open";

/**
 * What each row's actor did in it for the first time ever, by event id: against everything kept, by index.
 * Of a busy actor's long past at most DEEP rows are read; `within` then says how many. Where even that is
 * too much, nothing is said, and `undecided` counts it. Nothing is said to who does not see all of the log,
 * either: what is new in a part of it, or to an actor who is hidden, may be nothing new.
 * @param rows newest first
 */
export async function readFirstTimes(
  scope: Scope,
  rows: readonly EventRow[],
  deepest = DEEP,
): Promise<{ found: Map<string, FirstTime[]>; undecided: number }> {
  if (scope.sight) return { found: new Map(), undecided: 0 };
  const asked = questionsOf(rows);
  const near = await ask(asked, (questions) => nearSql(scope, questions));
  const open = asked.filter((_, index) => near[index] === "open");
  const actors = new Map<string, Question[]>();
  for (const one of open) {
    const { id } = one.row.actor;
    actors.set(id, [...(actors.get(id) ?? []), one]);
  }
  const chosen = [...actors.values()].sort((a, b) => b.length - a.length).slice(0, DEEP_ACTORS);
  const depth = Math.floor(deepest / Math.max(1, chosen.length));
  const deep = await ask(chosen.flat(), (questions) => deepSql(scope, questions, chosen, depth));
  const found = new Map<string, FirstTime[]>();
  const add = ({ row, what }: Question, within: number | null) =>
    found.set(row.id, [...(found.get(row.id) ?? []), { what, within }]);
  for (const [index, question] of asked.entries()) if (near[index] === "none") add(question, null);
  for (const [index, question] of chosen.flat().entries())
    if (deep[index] !== "known") add(question, deep[index] === "none" ? null : depth);
  return { found, undecided: open.length - chosen.flat().length };
}

/** For each actor, and each of its addresses and actions, the oldest row alone: the others come after it. */
function questionsOf(rows: readonly EventRow[]): Question[] {
  const asked = new Map<string, Question>();
  for (const row of rows) {
    const values = { seen: null, ip: row.location, action: row.action };
    for (const [what, value] of Object.entries(values) as [FirstTime["what"], string | null][])
      if (what === "seen" || value !== null)
        asked.set(JSON.stringify([row.actor.type, row.actor.id, what, value]), {
          row,
          what,
          value,
        });
  }
  return [...asked.values()];
}

async function ask(
  asked: readonly Question[],
  answers: (questions: Prisma.Sql) => Prisma.Sql,
): Promise<Answer[]> {
  if (asked.length === 0) return [];
  const list = (pick: (question: Question) => string | number | null) => asked.map(pick);
  const questions = Prisma.sql`SELECT n, what, actor_id COLLATE "C" AS actor_id, actor_type COLLATE "C" AS actor_type,
      value COLLATE "C" AS value, at::timestamptz AS at, seq
    FROM unnest(${list(({ what }) => what)}::text[], ${list(({ row }) => row.actor.id)}::text[],
      ${list(({ row }) => row.actor.type)}::text[], ${list(({ value }) => value)}::text[],
      ${list(({ row }) => row.occurredAt)}::text[], ${list(({ row }) => row.seq)}::bigint[])
      WITH ORDINALITY AS q(what, actor_id, actor_type, value, at, seq, n)`;
  const rows = await readRows<{ answer: Answer }>(answers(questions));
  return rows.map(({ answer }) => answer);
}

const NEWEST_FIRST = Prisma.raw("ORDER BY e.occurred_at DESC, e.seq DESC");

/** Among the last who used the value, and among the last that the actor did. */
function nearSql(scope: Scope, questions: Prisma.Sql): Prisma.Sql {
  // The first row that answers, or the last one looked at; none when there were fewer. So short a limit
  // keeps the planner on the index's order.
  const look = (index: Prisma.Sql, hit: Prisma.Sql) => Prisma.sql`(
    SELECT CASE WHEN r.hit THEN 'known' ELSE 'open' END FROM (
      SELECT e.hit, row_number() OVER () AS at FROM (
        SELECT e.actor_type = q.actor_type AND ${hit} AS hit FROM events e
        WHERE ${ofOrganization(scope.organizationId)} AND ${index} AND (e.occurred_at, e.seq) < (q.at, q.seq)
        ${NEWEST_FIRST} LIMIT ${NEAR}) e) r
    WHERE r.hit OR r.at = ${NEAR} LIMIT 1)`;
  const isActor = Prisma.sql`e.actor_id = q.actor_id`;
  const isValue = Prisma.sql`CASE q.what WHEN 'ip' THEN e.location = q.value WHEN 'action' THEN e.action = q.value ELSE true END`;
  return Prisma.sql`SELECT coalesce(CASE WHEN q.answer = 'open' THEN ${look(isActor, isValue)} ELSE q.answer END, 'none') AS answer
    FROM (SELECT q.*, CASE q.what WHEN 'ip' THEN ${look(Prisma.sql`e.location = q.value`, isActor)}
        WHEN 'action' THEN ${look(Prisma.sql`e.action = q.value`, isActor)} ELSE 'open' END AS answer
      FROM (${questions}) q OFFSET 0) q ORDER BY q.n`;
}

/** By the actors' own past, read once for all questions about each. */
function deepSql(
  scope: Scope,
  questions: Prisma.Sql,
  actors: Question[][],
  depth: number,
): Prisma.Sql {
  const place = (at: string, seq: string) =>
    Prisma.raw(`ARRAY[(extract(epoch FROM ${at}) * 1000)::bigint, ${seq}]`);
  // One read each, with the actor as a constant: the planner has to know how busy it is.
  const pasts = actors.map((asked) => {
    const { row } = asked.reduce((newest, one) => (isNewer(one.row, newest.row) ? one : newest));
    return Prisma.sql`(SELECT e.actor_id, e.actor_type, e.location, e.action, ${place("e.occurred_at", "e.seq")} AS place
      FROM events e WHERE ${ofOrganization(scope.organizationId)} AND e.actor_id = ${row.actor.id}
        AND (e.occurred_at, e.seq) < (${row.occurredAt}::timestamptz, ${row.seq}::bigint) ${NEWEST_FIRST} LIMIT ${depth})`;
  });
  const oldest = (what: string, value: string) =>
    Prisma.sql`SELECT actor_id, actor_type, ${what} AS what, ${Prisma.raw(value)} AS value, min(place) AS place
      FROM past GROUP BY 1, 2, 4`;
  return Prisma.sql`
    WITH past AS MATERIALIZED (${Prisma.join(pasts, " UNION ALL ")}),
    seen AS MATERIALIZED (${oldest("ip", "location")} UNION ALL ${oldest("action", "action")} UNION ALL ${oldest("seen", "NULL::text")}),
    depths AS MATERIALIZED (SELECT actor_id, count(*) AS rows FROM past GROUP BY 1)
    SELECT CASE WHEN s.place < ${place("q.at", "q.seq")} THEN 'known'
      WHEN d.rows = ${depth} THEN 'open' ELSE 'none' END AS answer
    FROM (${questions}) q LEFT JOIN depths d ON d.actor_id = q.actor_id
    LEFT JOIN seen s ON s.actor_id = q.actor_id AND s.actor_type = q.actor_type AND s.what = q.what
      AND s.value IS NOT DISTINCT FROM q.value
    ORDER BY q.n`;
}
