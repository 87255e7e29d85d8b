import type pg from "pg";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { makeSalts } from "@/lib/chain/event-hash";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, writePool } from "@/lib/db/pool";
import { type NewEvent, parseImportedEvent } from "@/lib/events/schema";
import { appendPrepared, prepareBatch } from "@/lib/events/server/append";
import { copyEvents } from "@/lib/events/server/copy-events";
import { ingestEvent } from "@/lib/events/server/ingest";
import { syntheticEvents } from "@/lib/events/synthetic";
import { newId } from "@/lib/ids";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { inTurn, quantiles, type Row } from "./measure";

const CONCURRENT = 50;

export function* events(seed: number): Generator<NewEvent, never> {
  for (const event of syntheticEvents({
    seed,
    endMs: Date.now(),
    days: 90,
    actors: 2_000,
    targets: 20_000,
  })) {
    const parsed = parseImportedEvent(event);
    if (!parsed.ok) throw new Error("A synthetic event is not valid");
    yield parsed.value;
  }
  throw new Error("unreachable");
}

export const take = (source: Generator<NewEvent, never>, count: number) =>
  Array.from({ length: count }, () => source.next().value);

const newOrganization = async (name: string) =>
  (await createOrganization(systemInstanceScope("cli"), { name })).id;

/** The same event and target rows by the same COPY, without chain, keys or head. */
function bareWriter(organizationId: string) {
  let seq = 0;
  const salts = makeSalts(2);
  const hash = Buffer.alloc(32, 1);
  return (batch: NewEvent[]) =>
    inTransaction(writePool(), async (client: pg.PoolClient) => {
      const rows = batch.map((event) => ({ event, id: newId("event"), salts }));
      const firstSeq = seq;
      seq += batch.length;
      const recordedAt = new Date().toISOString();
      await copyEvents(client, {
        organizationId,
        firstSeq,
        recordedAt,
        events: rows,
        hashes: rows.map(() => hash),
      });
    });
}

const rate = (events: number, timeMs: number) =>
  `${Math.round((events * 1_000) / timeMs).toLocaleString("en-US")}/s`;

function row(
  what: string,
  perRun: number,
  samples: { ours: number[]; bare: number[] },
  target: Row["target"],
): Row {
  const [ours, bare] = [quantiles(samples.ours), quantiles(samples.bare)];
  return {
    what,
    ours: rate(perRun, ours.p50),
    bare: rate(perRun, bare.p50),
    ratio: bare.p50 / ours.p50,
    target,
    note: `p50 ${ours.p50.toFixed(1)} ms, p95 ${ours.p95.toFixed(1)} ms for ${perRun}`,
  };
}

export async function benchIngest(): Promise<Row[]> {
  const source = events(4711);
  const sealed = await newOrganization("Sealed");
  const scope = systemScope("cli", sealed);
  const bare = bareWriter(await newOrganization("Bare"));
  let count = 0;
  const item = (event: NewEvent) => {
    count += 1;
    return { event, key: sha256(`bench ${count}`), keylessKey: null, source: "import" as const };
  };

  const single = await inTurn(
    200,
    () => ingestEvent(scope, source.next().value, newId("request")),
    () => bare(take(source, 1)),
  );
  const shared = await inTurn(
    40,
    () =>
      Promise.all(
        take(source, CONCURRENT).map((event) => ingestEvent(scope, event, newId("request"))),
      ),
    () => Promise.all(take(source, CONCURRENT).map((event) => bare([event]))),
  );
  const results = [
    row("ingest, one request after another", 1, single, null),
    row(
      `ingest, ${CONCURRENT} requests at once (bare: one transaction each)`,
      CONCURRENT,
      shared,
      null,
    ),
  ];
  // As an import runs: while one batch commits, the next is prepared.
  const prepared = (size: number) => prepareBatch(sealed, take(source, size).map(item));
  for (const size of [500, 1_000]) {
    let next = await prepared(size);
    const batched = await inTurn(
      20,
      async () => {
        const commit = appendPrepared(sealed, next);
        next = await prepared(size);
        await commit;
      },
      () => bare(take(source, size)),
    );
    results.push(
      row(`ingest, batches of ${size}`, size, batched, { floor: 0.6, goal: 0.8, atLeast: true }),
    );
  }
  return results;
}
