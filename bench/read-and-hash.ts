import { hash } from "node:crypto";
import { finished } from "node:stream/promises";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";

/** Queries that COPY can run, one after another on one connection. */
export type Reading = string[];

const COLUMNS = `seq, recorded_at, occurred_at, version, id, action, actor, targets, context, metadata, salts, erased,
  chain_hash, actor_id, actor_type, actor_name, location, ip`;

/**
 * What a verification reads, in the order it does, as it shares that among its threads: these have the events, each
 * some stretches of them, and the walk has the rest. Without threads the walk reads everything.
 */
export function readings(organizationId: string, events: number, threads: number): Reading[] {
  const from = `organization_id = '${organizationId}'`;
  const rest = [
    `SELECT seq, target_type, target_id, occurred_at, recorded_at FROM event_targets WHERE ${from} ORDER BY seq`,
    `SELECT level, idx, data, root FROM tiles WHERE ${from} ORDER BY level, idx`,
  ];
  const select = `SELECT ${COLUMNS} FROM events WHERE ${from}`;
  if (threads === 0) return [[`${select} ORDER BY seq`, ...rest]];
  const share = Math.ceil(events / threads);
  const stretches = Array.from({ length: threads }, (_, at) => [
    `${select} AND seq >= ${at * share} AND seq < ${(at + 1) * share} ORDER BY seq`,
  ]);
  return [rest, ...stretches];
}

/** Reads rows and hashes the same bytes: what no verification can be faster than. */
export async function readAndHash(client: pg.ClientBase, reading: Reading): Promise<void> {
  for (const query of reading) {
    const stream = client.query(copyTo(`COPY (${query}) TO STDOUT`));
    stream.on("data", (chunk: Buffer) => {
      for (
        let start = 0, end = chunk.indexOf(10);
        end >= 0;
        start = end + 1, end = chunk.indexOf(10, start)
      )
        hash("sha256", chunk.subarray(start, end), "hex");
    });
    await finished(stream);
  }
}
