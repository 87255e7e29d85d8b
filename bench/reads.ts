import pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { parseFilter } from "@/lib/events/filter/parse";
import { getEvent } from "@/lib/events/server/get-event";
import { listEvents } from "@/lib/events/server/list";
import { actorTimeline, targetTimeline } from "@/lib/events/server/timeline";
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
  actor: string;
  rareActor: string;
  action: string;
  target: { type: string; id: string };
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
  const target = await one(
    "SELECT target_type, target_id FROM (SELECT * FROM event_targets WHERE organization_id = $1 LIMIT 50000) t GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1",
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
    actor: (await top("actor_id", "DESC")).value,
    rareActor: (await top("actor_id", "ASC")).value,
    action: (await top("action", "DESC")).value,
    ip: (await top("location", "DESC")).value,
    target: { type: target.target_type, id: target.target_id },
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
    const monthAgo = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const single = { floor: 1.5, goal: 1.2, atLeast: false };
    const reads: [string, () => Promise<unknown>, Row["target"]][] = [
      ["newest 100", list(""), single],
      ["page at depth 20,000", list("", { after: samples.deep }), single],
      ["by actor", list(`actor:"${samples.actor}"`), single],
      ["by rare actor", list(`actor:"${samples.rareActor}"`), single],
      ["by action", list(`action:"${samples.action}"`), single],
      ["by action prefix", list("action:user.*"), single],
      ["by target", list(`target:"${samples.target.id}"`), single],
      ["by IP", list(`ip:"${samples.ip}"`), single],
      ["last 30 days", list("", { from: monthAgo }), single],
      ["not one actor", list(`-actor:"${samples.actor}"`), single],
      ["common text", list("deploy"), null],
      ["text that matches nothing", list("zzqxj"), null],
      ["actor and action", list(`actor:"${samples.actor}" action:"${samples.action}"`), null],
      ["one event", () => getEvent(scope, samples.id), single],
      ["actor's timeline", () => actorTimeline(scope, { actorId: samples.actor }), single],
      [
        "target's timeline",
        () =>
          targetTimeline(scope, { targetType: samples.target.type, targetId: samples.target.id }),
        single,
      ],
    ];
    const rows: Row[] = [];
    for (const [what, ours, target] of reads) {
      const statements = await capture(ours);
      const same = async () => {
        for (const { text, values } of statements) await bare.query(text, values);
      };
      rows.push(toRow(what, await inTurn(RUNS, ours, same), target));
    }
    for (const [what, sql, bound] of aggregates) {
      const run = () => bare.query(sql, [scope.organizationId]);
      const { ours } = await inTurn(20, run, async () => undefined);
      const { p50, p95 } = quantiles(ours);
      rows.push({
        what,
        ours: ms(p50),
        bare: "",
        ratio: null,
        target: null,
        note: `p95 ${ms(p95)}, floor ${bound} ms${p95 > bound ? ": MISS" : ""}`,
      });
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
  const slow = target && ours.p95 > 25 ? ", above 25 ms: MISS" : "";
  return {
    what,
    ours: ms(ours.p50),
    bare: ms(bare.p50),
    ratio: ours.p50 / bare.p50,
    target,
    note: `p95 ${ms(ours.p95)} / ${ms(bare.p95)}${slow}`,
  };
}

/** What facets and a histogram will ask for. */
const aggregates: [string, string, number][] = [
  [
    "top actions of the newest 10,000",
    `SELECT action, count(*) FROM (SELECT action FROM events WHERE organization_id = $1
     ORDER BY occurred_at DESC, seq DESC LIMIT 10000) e GROUP BY 1 ORDER BY 2 DESC LIMIT 10`,
    50,
  ],
  [
    "top actors of the newest 10,000",
    `SELECT actor_id, count(*) FROM (SELECT actor_id FROM events WHERE organization_id = $1
     ORDER BY occurred_at DESC, seq DESC LIMIT 10000) e GROUP BY 1 ORDER BY 2 DESC LIMIT 10`,
    50,
  ],
  [
    "events per hour, from the rollup",
    "SELECT hour, events FROM rollup_hourly WHERE organization_id = $1 ORDER BY hour",
    50,
  ],
  [
    "top actions of 90 days, from the rollup",
    "SELECT action, sum(events) FROM rollup_actions_daily WHERE organization_id = $1 GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    50,
  ],
];
