import type { Scope } from "@/lib/auth/scope";
import { type Checkpoint, openCheckpoint } from "@/lib/chain/checkpoint";
import { verifyConsistency } from "@/lib/chain/merkle";
import { parseVkey } from "@/lib/chain/note";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { CheckpointRow } from "../schema";
import { listCheckpoints, proveConsistency } from "./proofs";
import { vkeysOf } from "./signer";

/** Checkpoints below `before`, newest first, each with what shows that it extends the one before it. */
export async function readCheckpointRows(
  scope: Scope,
  page: { before?: number; limit: number },
): Promise<{ vkey: string; rows: CheckpointRow[]; hasOlder: boolean }> {
  const [vkeys, notes] = await Promise.all([
    vkeysOf(scope),
    listCheckpoints(scope, { ...page, limit: page.limit + 1 }),
  ]);
  const keys = vkeys.map(parseVkey);
  const [vkey] = vkeys as [string];
  const opened = notes.map(({ note }): Checkpoint | null => {
    try {
      return openCheckpoint(note, keys[0]?.name as string, keys);
    } catch {
      return null;
    }
  });
  const rows: CheckpointRow[] = [];
  for (const [at, { size, note, createdAt }] of notes.slice(0, page.limit).entries()) {
    const [own, older] = [opened[at], opened[at + 1]];
    rows.push({
      size,
      note,
      createdAt,
      root: own?.root.toString("hex") ?? null,
      extends: own && older ? await extension(scope, older, own) : null,
    });
  }
  return { vkey, rows, hasOlder: notes.length > page.limit };
}

async function extension(
  scope: Scope,
  older: Checkpoint,
  newer: Checkpoint,
): Promise<CheckpointRow["extends"]> {
  const size = older.size;
  try {
    const { hashes } = await proveConsistency(scope, size, newer.size);
    const holds = verifyConsistency(size, newer.size, hashes, older.root, newer.root);
    return { size, isProven: holds };
  } catch (error) {
    // What is stored cannot prove it: the page says so, a verification names the damage.
    if (error instanceof AppError) return { size, isProven: false };
    throw error;
  }
}

/** One checkpoint's size of each of `count` equal parts of the log, where a part has one. */
export async function readCheckpointMarks(
  { organizationId }: Scope,
  from: number,
  to: number,
  count: number,
): Promise<number[]> {
  // One probe of the index for each part: a busy log has millions of checkpoints.
  const { rows } = await readPool().query<{ size: number }>(
    `SELECT mark.size FROM log_heads h
     CROSS JOIN generate_series(0, $4::bigint - 1) AS part
     CROSS JOIN LATERAL (
       SELECT max(c.tree_size) AS size FROM checkpoints c
       WHERE c.organization_id = $1 AND c.origin = h.origin
         AND c.tree_size > $2::bigint + (($3::bigint - $2::bigint) * part) / $4::bigint
         AND c.tree_size <= $2::bigint + (($3::bigint - $2::bigint) * (part + 1)) / $4::bigint
     ) mark
     WHERE h.organization_id = $1 AND mark.size IS NOT NULL ORDER BY 1`,
    [organizationId, from, to, count],
  );
  return rows.map(({ size }) => size);
}
