import { randomInt } from "node:crypto";
import type { Scope } from "@/lib/auth/scope";
import { verifyEventProof } from "@/lib/chain/event-proof";
import { parseVkey } from "@/lib/chain/note";
import { longPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { readEventProof } from "./event-proof";
import { listCheckpoints } from "./proofs";
import { vkeysOf } from "./signer";

/** A part of a log, each event proven by itself. It misses single changes: it is no verification. */
export interface Sample {
  /** Events of the log that a checkpoint covers, and how many of them were looked at. */
  population: number;
  sampled: number;
  /** Those that are not proven, with the reason. */
  failed: { seq: number; detail: string }[];
  /** How likely this finds damage when one event in a hundred is changed: 1 − (1 − 0.01)^sampled. */
  finds_one_percent: number;
}

/** @throws AppError conflict while nothing is signed */
export async function sampleLog(scope: Scope, count: number): Promise<Sample> {
  const { organizationId } = scope;
  const [newest] = await listCheckpoints(scope, { limit: 1 });
  const head = await longPool().query<{ first_seq: number }>(
    "SELECT first_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  );
  const first = head.rows[0]?.first_seq ?? 0;
  if (!newest || newest.size <= first)
    throw new AppError("conflict", "Nothing is signed yet: there is nothing to sample.");
  const population = newest.size - first;
  const places = new Set<number>();
  while (places.size < Math.min(count, population)) places.add(randomInt(first, newest.size));
  const { rows } = await longPool().query<{ seq: number; id: string }>(
    "SELECT seq, id FROM events WHERE organization_id = $1 AND seq = ANY($2)",
    [organizationId, [...places]],
  );
  const ids = new Map(rows.map(({ seq, id }) => [seq, id]));
  const trusted = (await vkeysOf(scope)).map(parseVkey);
  const failed: Sample["failed"] = [];
  for (const seq of [...places].sort((left, right) => left - right)) {
    const id = ids.get(seq);
    const detail = id ? await reasonOf(scope, id, trusted) : "the event is missing";
    if (detail !== null) failed.push({ seq, detail });
  }
  const sampled = places.size;
  return { population, sampled, failed, finds_one_percent: 1 - 0.99 ** sampled };
}

async function reasonOf(
  scope: Scope,
  id: string,
  trusted: ReturnType<typeof parseVkey>[],
): Promise<string | null> {
  try {
    return verifyEventProof(await readEventProof(scope, id), trusted).detail;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
