import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { readRows } from "./read";

/** Id and chain hash (hex) of events, by sequence number: what a client keeps as proof. */
export async function readChainHashes(
  scope: Scope,
  seqs: number[],
): Promise<Map<number, { id: string; chain_hash: string }>> {
  if (seqs.length === 0) return new Map();
  const rows = await readRows<{ seq: number; id: string; chain_hash: string }>(
    Prisma.sql`SELECT e.seq::float8 AS seq, e.id, encode(e.chain_hash, 'hex') AS chain_hash
      FROM events e WHERE e.organization_id = ${scope.organizationId} AND e.seq IN (${Prisma.join(seqs)})`,
  );
  return new Map(rows.map(({ seq, ...sealed }) => [seq, sealed]));
}
