import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { Frontier } from "@/lib/chain/merkle";
import { followTiles } from "@/lib/chain/server/tiles";
import { sha256 } from "@/lib/chain/sha256";
import { ownerPool } from "@/lib/db/owner-pool";
import { longPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { followRollups } from "@/lib/events/server/rollups";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { publishCheckpoints } from "@/lib/integrity/server/witnesses";
import type { PrunePlan, Undelivered } from "../schema";
import { alone, asRetention, withoutHold } from "./owner-transaction";
import { planPrune, readEnds } from "./plan";
import { removePruned } from "./remove";

/** Pruning of a log's beginning (integrity spec §2): what remains begins after a signed record of what went. */

const PIECE = 50_000;
const SIGNER_TRIES = 50;
const SIGNER_PAUSE_MS = 100;

/** The worker's signer may be at it just now, with a head from before: then once more. */
async function coverWithCheckpoint(organizationId: string): Promise<void> {
  for (let tries = 0; tries < SIGNER_TRIES; tries += 1) {
    if ((await cutCheckpoint(organizationId)).kind !== "busy") return;
    await sleep(SIGNER_PAUSE_MS);
  }
}

/**
 * Prunes a log as the database's owner: records it, and removes all that the record covers.
 * @throws AppError conflict while a legal hold is open, when a stream has not delivered, or nothing is signed
 */
export async function pruneEvents(scope: Scope, before: Date): Promise<PrunePlan> {
  const pool = await ownerPool();
  try {
    return await alone(async () => {
      const plan = await planPrune(scope, before);
      if (plan.events > 0) await recordPruning(pool, scope, plan, { before, undelivered: "hold" });
      await removePruned(pool, scope);
      return plan;
    });
  } finally {
    await pool.end();
  }
}

/**
 * Announces a pruning in the log, has that signed (and published where a witness is set up), and only then commits
 * the record that verification begins at. The events are still there: `removePruned` takes them, in its own time.
 * @param pool of a login that may remove events
 * @throws AppError conflict while a legal hold is open, when a stream has not delivered, or nothing is signed
 */
export async function recordPruning(
  pool: pg.Pool,
  scope: Scope,
  { size, behind }: PrunePlan,
  { before, undelivered }: { before: Date; undelivered: Undelivered },
): Promise<void> {
  const { organizationId, principal } = scope;
  if (behind.length > 0 && undelivered === "hold")
    throw new AppError(
      "conflict",
      `Not delivered yet by ${behind.join(", ")}: wait, send again or discard what is set aside, or remove the stream.`,
    );
  const { first } = await readEnds(scope);
  const tree = await treeOf(organizationId, size);
  const eventSeq = await withoutHold(writePool(), scope, (client) =>
    appendControlEvent(client, scope, {
      action: "trailseal.pruned",
      metadata: {
        prune_size: String(size),
        chain_hash: tree.head.toString("hex"),
        root: tree.frontier.root().toString("hex"),
        before: before.toISOString(),
        ...(behind.length > 0 ? { undelivered: behind.join(", ").slice(0, 500) } : {}),
      },
      // A run that was ended before it got to the record is gone on with, under the announcement that it made.
      key: sha256(`pruned ${organizationId} ${size}`).toString("hex"),
      isDeletedToo: true,
    }),
  );
  await refuseOtherEvent(scope, eventSeq, size);
  await coverWithCheckpoint(organizationId);
  await publishCheckpoints(organizationId);
  const signed = await longPool().query(
    `SELECT 1 FROM checkpoints c JOIN log_heads h ON h.organization_id = c.organization_id AND h.origin = c.origin
     WHERE c.organization_id = $1 AND c.tree_size > $2 LIMIT 1`,
    [organizationId, eventSeq],
  );
  if (signed.rowCount === 0)
    throw new AppError(
      "conflict",
      "The pruning is announced, but no checkpoint covers it: nothing was removed. Look at the signer's state, then prune again.",
    );
  // Whoever counts or makes tiles of events has to have met them.
  await followTiles(organizationId);
  await followRollups(organizationId);
  await asRetention(pool, scope, async (client) => {
    await client.query("INSERT INTO prunes VALUES ($1, $2, $3, $4, $5)", [
      organizationId,
      size,
      tree.head,
      tree.frontier.hashes,
      eventSeq,
    ]);
    const moved = await client.query(
      "UPDATE log_heads SET first_seq = $2 WHERE organization_id = $1 AND first_seq = $3",
      [organizationId, size, first],
    );
    if (moved.rowCount !== 1)
      throw new AppError("conflict", "The log was pruned by somebody else meanwhile.");
    await client.query(
      `INSERT INTO retention_runs (organization_id, prune_size, first_seq, before, started_by, undelivered)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [organizationId, size, first, before, principal.kind === "worker" ? "worker" : "cli", behind],
    );
  });
}

/** The key of an announcement can be guessed: what was stored under it has to be one. */
async function refuseOtherEvent(
  { organizationId }: Scope,
  seq: number,
  size: number,
): Promise<void> {
  const { rowCount } = await longPool().query(
    `SELECT 1 FROM events WHERE organization_id = $1 AND seq = $2 AND action = 'trailseal.pruned'
       AND metadata ->> 'prune_size' = $3`,
    [organizationId, seq, String(size)],
  );
  if (rowCount === 0)
    throw new AppError(
      "conflict",
      `#${seq} stands where the announcement of the pruning should: somebody stored another event under its key. Nothing was removed.`,
    );
}

/** The tree of the first `size` leaves, grown from the last pruning. */
async function treeOf(
  organizationId: string,
  size: number,
): Promise<{ frontier: Frontier; head: Buffer }> {
  const { rows } = await longPool().query<{
    prune_size: string;
    frontier: Buffer[];
    chain_hash: Buffer;
  }>(
    `SELECT prune_size, frontier, chain_hash FROM prunes WHERE organization_id = $1
     ORDER BY prune_size DESC LIMIT 1`,
    [organizationId],
  );
  const last = rows[0];
  const frontier = last ? Frontier.restore(Number(last.prune_size), last.frontier) : new Frontier();
  let head = last?.chain_hash ?? Buffer.alloc(0);
  while (frontier.size < size) {
    const from = frontier.size;
    const leaves = await longPool().query<{ seq: string; chain_hash: Buffer }>(
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
