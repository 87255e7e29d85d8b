import pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { type FieldId, fields } from "@/lib/events/fields";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import { parseFilter } from "@/lib/events/filter/parse";
import { readFacets, readMetadataKeys } from "@/lib/events/server/facets";
import { getEvent } from "@/lib/events/server/get-event";
import { readHistogram } from "@/lib/events/server/histogram";
import { FIRST_ANSWER_MS, listEvents } from "@/lib/events/server/list";
import { countDays, readTimeline, readUsual } from "@/lib/events/server/timeline";
import { readValues } from "@/lib/events/server/values";
import type { Subject } from "@/lib/events/subject";
import { parsePeriod } from "@/lib/overview/period";
import { readActors } from "@/lib/overview/server/actors";
import { readDays, readFailures, readTopActions } from "@/lib/overview/server/counts";
import { inTurn, quantiles, type Row } from "./measure";

const RUNS = 60;

interface Statement {
  text: string;
  values: unknown[];
}

/** The statements that `work` sends, as the driver got them. */
async function capture(work: () => Promise<unknown>): Promise<Statement[]> {
  const pool = readPool();
  const original = pool.query;
  const seen: Statement[] = [];
  const spy = (...args: unknown[]) => {
    const [query, values] = args as [string | Statement, unknown[] | undefined];
    seen.push(
      typeof query === "string"
        ? { text: query, values: values ?? [] }
        : { text: query.text, values: query.values ?? [] },
    );
    return (original as (...args: unknown[]) => unknown).apply(pool, args);
  };
  pool.query = spy as typeof pool.query;
  try {
    await work();
  } finally {
    pool.query = original;
  }
  return seen;
}

function filterOf(text: string) {
  const parsed = parseFilter(text);
  if (!parsed.ok) throw new Error(`${text}: ${JSON.stringify(parsed.diagnostics)}`);
  return parsed.filter;
}

interface Samples {
  actor: Subject;
  rareActor: Subject;
  action: string;
  target: Subject;
  ip: string;
  id: string;
  deep: string;
}

/** Values that the data really has: busy ones, rare ones, and a position far down. */
async function pickSamples(bare: pg.Pool, scope: Scope): Promise<Samples> {
  const organization = [scope.organizationId];
  const one = async (sql: string) => (await bare.query(sql, organization)).rows[0];
  const sample =
    "SELECT * FROM (SELECT * FROM events WHERE organization_id = $1 ORDER BY seq LIMIT 50000) e";
  const top = (column: string, order: string) =>
    one(
      `SELECT ${column} AS value FROM (${sample}) s GROUP BY 1 ORDER BY count(*) ${order}, 1 LIMIT 1`,
    );
  const busyness = (order: string) =>
    one(
      `SELECT 'actor' AS role, actor_type AS type, actor_id AS id FROM (${sample}) s GROUP BY 2, 3 ORDER BY count(*) ${order}, 3 LIMIT 1`,
    );
  const target = await one(
    "SELECT 'target' AS role, target_type AS type, target_id AS id FROM (SELECT * FROM event_targets WHERE organization_id = $1 LIMIT 50000) t GROUP BY 2, 3 ORDER BY count(*) DESC LIMIT 1",
  );
  let deep = "";
  for (let page = 0; page < 40; page += 1) {
    const { next } = await listEvents(scope, {
      filter: { clauses: [] },
      limit: 500,
      ...(deep ? { after: deep } : {}),
    });
    if (!next) break;
    deep = next;
  }
  return {
    actor: await busyness("DESC"),
    rareActor: await busyness("ASC"),
    action: (await top("action", "DESC")).value,
    ip: (await top("location", "DESC")).value,
    target,
    id: (await one(`SELECT id FROM (${sample}) s ORDER BY seq DESC LIMIT 1`)).id,
    deep,
  };
}

export async function benchReads(scope: Scope): Promise<Row[]> {
  const bare = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
  try {
    const samples = await pickSamples(bare, scope);
    const list =
      (q: string, extra: object = {}) =>
      () =>
        listEvents(scope, { filter: filterOf(q), ...extra });
    const timeline = (subject: Subject) => () =>
      readTimeline(scope, { subject, lane: null, filter: EMPTY_FILTER });
    const monthAgo = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const single = { floor: 1.5, goal: 1.2, atLeast: false };
    const reads: [string, () => Promise<unknown>, Row["target"]][] = [
      ["newest 100", list(""), single],
      ["page at depth 20,000", list("", { after: samples.deep }), single],
      ["by actor", list(`actor:"${samples.actor.id}"`), single],
      ["by rare actor", list(`actor:"${samples.rareActor.id}"`), single],
      ["by action", list(`action:"${samples.action}"`), single],
      ["by action prefix", list("action:user.*"), single],
      ["by target", list(`target:"${samples.target.id}"`), single],
      ["by IP", list(`ip:"${samples.ip}"`), single],
      ["last 30 days", list("", { from: monthAgo }), single],
      ["not one actor", list(`-actor:"${samples.actor.id}"`), single],
      ["common text", list("deploy"), null],
      ["actor and action", list(`actor:"${samples.actor.id}" action:"${samples.action}"`), null],
      ["one event", () => getEvent(scope, samples.id), single],
      ["busy actor's timeline", timeline(samples.actor), single],
      ["rare actor's timeline", timeline(samples.rareActor), single],
      ["target's timeline", timeline(samples.target), single],
    ];
    const rows: Row[] = [];
    for (const [what, ours, target] of reads) {
      const statements = await capture(ours);
      const same = async () => {
        for (const { text, values } of statements) await bare.query(text, values);
      };
      rows.push(toRow(what, await inTurn(RUNS, ours, same), target));
    }
    for (const [what, boundMs, run] of answers(scope, samples)) {
      const { ours } = await inTurn(RUNS, run, async () => undefined);
      const { p50, p95 } = quantiles(ours);
      const note = `p95 ${ms(p95)}, floor ${boundMs} ms${p95 > boundMs ? ": MISS" : ""}`;
      rows.push({ what, ours: ms(p50), bare: "", ratio: null, target: null, note });
    }
    return rows;
  } finally {
    await bare.end();
  }
}

const ms = (value: number) => `${value.toFixed(1)} ms`;

function toRow(
  what: string,
  samples: { ours: number[]; bare: number[] },
  target: Row["target"],
): Row {
  const [ours, bare] = [quantiles(samples.ours), quantiles(samples.bare)];
  const slow = target && !what.endsWith("timeline") && ours.p95 > 25 ? ", above 25 ms: MISS" : "";
  return {
    what,
    ours: ms(ours.p50),
    bare: ms(bare.p50),
    ratio: ours.p50 / bare.p50,
    target,
    note: `p95 ${ms(ours.p95)} / ${ms(bare.p95)}${slow}`,
  };
}

/** What the explorer counts or searches, with the most milliseconds its p95 may take. */
function answers(scope: Scope, samples: Samples): [string, number, () => Promise<unknown>][] {
  const { actor: subject, action, target } = samples;
  const { id } = subject;
  const whole = (q: string) => ({ filter: filterOf(q), from: null, to: null });
  const facets = (q: string) => () =>
    readFacets(
      scope,
      whole(q),
      fields.filter(({ facet }) => facet).map((field) => fieldRef(field.id)),
    );
  const histogram = (q: string) => () => readHistogram(scope, { ...whole(q), zone: "UTC" });
  const values = (field: FieldId, typed: string) => () => readValues(scope, fieldRef(field), typed);
  const list = (q: string) => () =>
    listEvents(scope, { filter: filterOf(q) }, { budgetMs: FIRST_ANSWER_MS });
  const period = parsePeriod({ range: "30d" }, Date.now());
  if (!period.ok) throw new Error(period.message);
  const daysMs = Array.from({ length: 91 }, (_, day) => Date.now() - (90 - day) * 86_400_000);
  return [
    ["facets", 50, facets("")],
    ["facets of an action", 50, facets(`action:"${action}"`)],
    ["facets of an actor", 50, facets(`actor:"${id}"`)],
    ["facets of a target", 50, facets(`target:"${target.id}"`)],
    ["facets of common text", 50, facets("deploy")],
    ["metadata keys", 50, () => readMetadataKeys(scope, whole(""))],
    ["histogram", 50, histogram("")],
    ["histogram of an action", 50, histogram(`action:"${action}"`)],
    ["histogram of an actor", 50, histogram(`actor:"${id}"`)],
    ["histogram of common text", 50, histogram("deploy")],
    ["completion of an actor", 50, values("actor", id.slice(0, 3))],
    ["completion of a target", 50, values("target", target.id.slice(0, 3))],
    ["completion of an action", 50, values("action", action.slice(0, 2))],
    [
      "timeline's days",
      50,
      () =>
        countDays(
          scope,
          { subject, lane: null, filter: EMPTY_FILTER },
          daysMs.map((ms) => new Date(ms).toISOString()),
        ),
    ],
    ["timeline's usual", 50, () => readUsual(scope, subject)],
    ["overview's days", 50, () => readDays(scope, period.period)],
    ["overview's actions", 50, () => readTopActions(scope, period.period, 5)],
    ["overview's actors", 50, () => readActors(scope, period.period)],
    ["overview's failures", 50, () => readFailures(scope, period.period)],
    ["text that matches nothing", 100, list("zzqxj")],
    ["leading wildcard that matches nothing", 100, list("actor:*zzqxj")],
    ["rare value of metadata", 100, list("metadata.reason:zzqxj")],
    ["two rare values", 100, list(`actor:"${samples.rareActor.id}" target:"${target.id}"`)],
  ];
}
