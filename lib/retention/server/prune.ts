import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { Frontier } from "@/lib/chain/merkle";
import { ownerPool } from "@/lib/db/owner-pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { publishCheckpoints } from "@/lib/integrity/server/witnesses";
import { asRole, withoutHold } from "./owner-transaction";

/** Pruning of a log's beginning (integrity spec §2): what remains begins after a signed record of what went. */

export interface PrunePlan {
  /** Events below this number go. */
  size: number;
  /** How many there are. */
  events: number;
  /** Among them, events whose own time is not past: late ones, imports. */
  newer: number;
  /** Streams that have not delivered all of them, or set some aside. */
  behind: string[];
}

const PIECE = 50_000;
const SIGNER_TRIES = 50;
const SIGNER_PAUSE_MS = 100;

/** What pruning everything received before `before` would remove; it changes nothing. */
export async function planPrune(scope: Scope, before: Date): Promise<PrunePlan> {
  const pool = await ownerPool();
  try {
    return await plan(pool, scope, before);
  } finally {
    await pool.end();
  }
}

async function plan(pool: pg.Pool, { organizationId }: Scope, before: Date): Promise<PrunePlan> {
  const { rows } = await pool.query<{ size: number; first: number; newer: number }>(
    `SELECT coalesce(max(e.seq) + 1, h.first_seq)::int AS size, h.first_seq::int AS first,
       count(*) FILTER (WHERE e.occurred_at >= $2)::int AS newer
     FROM log_heads h LEFT JOIN events e ON e.organization_id = h.organization_id AND e.recorded_at < $2
     WHERE h.organization_id = $1 GROUP BY h.first_seq`,
    [organizationId, before],
  );
  const row = rows[0];
  if (!row) throw new AppError("not_found", `There is no log of '${organizationId}'.`);
  const behind = await pool.query<{ name: string }>(
    `SELECT s.name FROM streams s JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id
     WHERE s.organization_id = $1 AND s.deleted_at IS NULL AND t.lane = 'live' AND (t.cursor_seq < $2
       OR EXISTS (SELECT FROM dead_letters d WHERE d.organization_id = s.organization_id AND d.stream_id = s.id
         AND d.seq >= $3 AND d.seq < $2 AND d.discarded_at IS NULL)) ORDER BY 1`,
    [organizationId, row.size, row.first],
  );
  return {
    size: row.size,
    events: row.size - row.first,
    newer: row.newer,
    behind: behind.rows.map(({ name }) => name),
  };
}

/** The worker's signer may be at it just now, with a head from before: then once more. */
async function coverWithCheckpoint(organizationId: string): Promise<void> {
  for (let tries = 0; tries < SIGNER_TRIES; tries += 1) {
    if ((await cutCheckpoint(organizationId)).kind !== "busy") return;
    await sleep(SIGNER_PAUSE_MS);
  }
}

/**
 * Announces the pruning in the log, has that signed (and published where a witness is set up), and only
 * then removes the events, in one transaction with the record that verification begins at.
 * @throws AppError conflict while a legal hold is open, when a stream has not delivered, or nothing is signed
 */
export async function pruneEvents(scope: Scope, before: Date): Promise<PrunePlan> {
  const { organizationId } = scope;
  const pool = await ownerPool();
  try {
    const planned = await plan(pool, scope, before);
    if (planned.events === 0) return planned;
    if (planned.behind.length > 0)
      throw new AppError(
        "conflict",
        `Not delivered yet by ${planned.behind.join(", ")}: wait, send again or discard what is set aside, or remove the stream.`,
      );
    const { size } = planned;
    const tree = await treeOf(pool, organizationId, size);
    const eventSeq = await withoutHold(pool, scope, (client) =>
      appendControlEvent(client, scope, {
        action: "trailseal.pruned",
        metadata: {
          prune_size: String(size),
          chain_hash: tree.head.toString("hex"),
          root: tree.frontier.root().toString("hex"),
        },
      }),
    );
    await coverWithCheckpoint(organizationId);
    await publishCheckpoints(organizationId);
    const signed = await pool.query(
      "SELECT 1 FROM checkpoints WHERE organization_id = $1 AND tree_size > $2 LIMIT 1",
      [organizationId, eventSeq],
    );
    if (signed.rowCount === 0)
      throw new AppError(
        "conflict",
        "The pruning is announced, but no checkpoint covers it: nothing was removed. Look at the signer's state, then prune again.",
      );
    await withoutHold(pool, scope, async (client) => {
      await client.query("INSERT INTO prunes VALUES ($1, $2, $3, $4, $5)", [
        organizationId,
        size,
        tree.head,
        tree.frontier.hashes,
        eventSeq,
      ]);
      await client.query("UPDATE log_heads SET first_seq = $2 WHERE organization_id = $1", [
        organizationId,
        size,
      ]);
      await asRole(client, "trailseal_retention", async () => {
        const range = [organizationId, size];
        await client.query("DELETE FROM events WHERE organization_id = $1 AND seq < $2", range);
        await client.query(
          "DELETE FROM event_targets WHERE organization_id = $1 AND seq < $2",
          range,
        );
      });
    });
    return planned;
  } finally {
    await pool.end();
  }
}

/** The tree of the first `size` leaves, grown from the last pruning. */
async function treeOf(
  pool: pg.Pool,
  organizationId: string,
  size: number,
): Promise<{ frontier: Frontier; head: Buffer }> {
  const { rows } = await pool.query<{ prune_size: string; frontier: Buffer[]; chain_hash: Buffer }>(
    `SELECT prune_size, frontier, chain_hash FROM prunes WHERE organization_id = $1
     ORDER BY prune_size DESC LIMIT 1`,
    [organizationId],
  );
  const last = rows[0];
  const frontier = last ? Frontier.restore(Number(last.prune_size), last.frontier) : new Frontier();
  let head = last?.chain_hash ?? Buffer.alloc(0);
  while (frontier.size < size) {
    const from = frontier.size;
    const leaves = await pool.query<{ seq: string; chain_hash: Buffer }>(
      "SELECT seq, chain_hash FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
      [organizationId, from, Math.min(size, from + PIECE)],
    );
    for (const { seq, chain_hash: leaf } of leaves.rows) {
      if (Number(seq) !== frontier.size)
        throw new AppError("conflict", "Events are missing: run a verification, it names them.");
      frontier.append(leaf);
      head = leaf;
    }
    if (frontier.size === from)
      throw new AppError("conflict", "Events are missing: run a verification, it names them.");
  }
  return { frontier, head };
}
