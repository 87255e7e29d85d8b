import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { verifyEventProof } from "@/lib/chain/event-proof";
import { Frontier } from "@/lib/chain/merkle";
import { parseVkey } from "@/lib/chain/note";
import { followTiles, TILE_WIDTH } from "@/lib/chain/server/tiles";
import { HASH_BYTES, sha256 } from "@/lib/chain/sha256";
import { ownerPool } from "@/lib/db/owner-pool";
import { longPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { followRollups } from "@/lib/events/server/rollups";
import { readEventProof } from "@/lib/integrity/server/event-proof";
import { listCheckpoints } from "@/lib/integrity/server/proofs";
import { cutCheckpoint, vkeysOf } from "@/lib/integrity/server/signer";
import { publishCheckpoints } from "@/lib/integrity/server/witnesses";
import {
  readSealedRetention,
  repeatedWords,
  type SealedRetention,
} from "@/lib/orgs/server/sealed-retention";
import type { PrunePlan, Undelivered } from "../schema";
import { alone, asRetention, withoutHold } from "./owner-transaction";
import { planPrune, readEnds, streamsBehind } from "./plan";
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

interface Pruning {
  before: Date;
  undelivered: Undelivered;
  /** The event that says the policy by which it is done; left out where somebody names the time themselves. */
  policySeq?: number | null;
}

function refuseBehind(behind: string[]): void {
  if (behind.length > 0)
    throw new AppError(
      "conflict",
      `Not delivered yet by ${behind.join(", ")}: wait, send again or discard what is set aside, or remove the stream.`,
    );
}

const policyChanged = () =>
  new AppError(
    "conflict",
    "The policy was changed meanwhile: nothing was removed. The next run goes by the new one.",
  );

/**
 * Announces a pruning in the log, has that signed (and published where a witness is set up), and only then commits
 * the record that verification begins at. The events are still there: `removePruned` takes them, in its own time.
 * @param pool of a login that may remove events
 * @throws AppError conflict while a legal hold is open, when a stream has not delivered, the policy was changed, or nothing
 * is signed
 */
export async function recordPruning(
  pool: pg.Pool,
  scope: Scope,
  { size, behind }: PrunePlan,
  { before, undelivered, policySeq }: Pruning,
): Promise<void> {
  const { organizationId, principal } = scope;
  if (undelivered === "hold") refuseBehind(behind);
  const { first } = await readEnds(scope);
  const tree = await treeOf(organizationId, size, before);
  await coverWithCheckpoint(organizationId);
  const sealed = await readSealedRetention(scope);
  if (policySeq !== undefined && sealed?.seq !== policySeq) throw policyChanged();
  await refuseUnsealed(scope, sealed, first);
  const said = {
    prune_size: String(size),
    chain_hash: tree.head.toString("hex"),
    root: tree.frontier.root().toString("hex"),
    // The event that set the policy may be among what goes.
    ...repeatedWords(sealed),
  };
  const eventSeq = await withoutHold(writePool(), scope, (client) =>
    appendControlEvent(client, scope, {
      action: "trailseal.pruned",
      metadata: {
        ...said,
        before: before.toISOString(),
        ...(behind.length > 0 ? { undelivered: behind.join(", ").slice(0, 500) } : {}),
      },
      // A run that was ended before it got to the record is gone on with, under the announcement that it made.
      key: sha256(`pruned ${organizationId} ${size} ${sealed?.seq ?? ""}`).toString("hex"),
      isDeletedToo: true,
    }),
  );
  await refuseOtherEvent(scope, eventSeq, said);
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
  if (undelivered === "hold") refuseBehind(await streamsBehind(scope, first, size));
  await asRetention(pool, scope, async (client) => {
    await client.query("INSERT INTO prunes VALUES ($1, $2, $3, $4, $5, $6)", [
      organizationId,
      size,
      tree.head,
      tree.frontier.hashes,
      eventSeq,
      Buffer.concat(tree.leaves),
    ]);
    const moved = await client.query(
      "UPDATE log_heads SET first_seq = $2 WHERE organization_id = $1 AND first_seq = $3",
      [organizationId, size, first],
    );
    if (moved.rowCount !== 1)
      throw new AppError("conflict", "The log was pruned by somebody else meanwhile.");
    // The head's lock, which whoever seals has to have, is held from here on.
    const changed = await client.query(
      `SELECT 1 FROM events WHERE organization_id = $1 AND action = 'trailseal.retention_changed' AND seq > $2 LIMIT 1`,
      [organizationId, policySeq ?? Number.MAX_SAFE_INTEGER],
    );
    if (changed.rowCount !== 0) throw policyChanged();
    await client.query(
      `INSERT INTO retention_runs (organization_id, prune_size, first_seq, before, started_by, undelivered)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [organizationId, size, first, before, principal.kind === "worker" ? "worker" : "cli", behind],
    );
  });
}

/** The key of an announcement can be guessed: what was stored under it has to say the same. */
async function refuseOtherEvent(
  { organizationId }: Scope,
  seq: number,
  said: Record<string, string>,
): Promise<void> {
  const { rowCount } = await longPool().query(
    `SELECT 1 FROM events WHERE organization_id = $1 AND seq = $2 AND action = 'trailseal.pruned'
       AND metadata @> $3::jsonb`,
    [organizationId, seq, JSON.stringify(said)],
  );
  if (rowCount === 0)
    throw new AppError(
      "conflict",
      `#${seq} stands where the announcement of the pruning should: somebody stored another event under its key. Nothing was removed.`,
    );
}

/**
 * Rows may be put into a log that were never sealed: whatever allows a deletion, the policy and the releases of holds,
 * is proven up to a signature.
 */
async function refuseUnsealed(
  scope: Scope,
  sealed: SealedRetention | null,
  first: number,
): Promise<void> {
  const { rows } = await longPool().query<{ id: string; seq: number } & Record<string, unknown>>(
    `SELECT id, seq, action, targets, metadata FROM events
     WHERE organization_id = $1 AND seq = $2 AND action IN ('trailseal.retention_changed', 'trailseal.pruned')
     UNION ALL SELECT id, seq, action, targets, metadata FROM events
     WHERE organization_id = $1 AND seq >= $3 AND action = 'trailseal.hold_released'`,
    [scope.organizationId, sealed?.seq ?? null, first],
  );
  const trusted = (await vkeysOf(scope)).map(parseVkey);
  // Up to the newest one: keys that signed before a restore without them are not known any more.
  const [newest] = await listCheckpoints(scope, { limit: 1 });
  for (const { id, seq, ...said } of rows) {
    const proof = await readEventProof(scope, id, newest?.size);
    const { action, targets, metadata = null } = proof.line.event;
    // A row may have taken over the id of another, whose proof that is.
    const isIt =
      proof.line.seq === Number(seq) && isDeepStrictEqual(said, { action, targets, metadata });
    if (!isIt || !verifyEventProof(proof, trusted).ok)
      throw new AppError(
        "conflict",
        `#${seq}, ${String(said.action)}, allows what is to be deleted, but is not sealed: somebody put it into the database. Nothing was removed. Run a verification, it names the damage.`,
      );
  }
}

/**
 * The tree of the first `size` leaves, grown from the last pruning; all of them received before a time. `leaves` are those
 * of the tile that it ends in.
 */
async function treeOf(
  organizationId: string,
  size: number,
  before: Date,
): Promise<{ frontier: Frontier; head: Buffer; leaves: Buffer[] }> {
  const { rows } = await longPool().query<{
    prune_size: string;
    frontier: Buffer[];
    chain_hash: Buffer;
    leaves: Buffer;
  }>(
    `SELECT prune_size, frontier, chain_hash, leaves FROM prunes WHERE organization_id = $1
     ORDER BY prune_size DESC LIMIT 1`,
    [organizationId],
  );
  const last = rows[0];
  const frontier = last ? Frontier.restore(Number(last.prune_size), last.frontier) : new Frontier();
  let head = last?.chain_hash ?? Buffer.alloc(0);
  const kept = last?.leaves ?? Buffer.alloc(0);
  const leaves = Array.from({ length: kept.length / HASH_BYTES }, (_, at) =>
    kept.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
  while (frontier.size < size) {
    const from = frontier.size;
    const { rows: events } = await longPool().query<{
      seq: string;
      chain_hash: Buffer;
      recorded_at: Date;
    }>(
      "SELECT seq, chain_hash, recorded_at FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
      [organizationId, from, Math.min(size, from + PIECE)],
    );
    for (const { seq, chain_hash: leaf, recorded_at: recordedAt } of events) {
      if (Number(seq) !== frontier.size)
        throw new AppError("conflict", "Events are missing: run a verification, it names them.");
      if (recordedAt >= before)
        throw new AppError(
          "conflict",
          `#${seq} was received later than what follows it: run a verification, it names the damage.`,
        );
      frontier.append(leaf);
      leaves.push(leaf);
      if (frontier.size % TILE_WIDTH === 0) leaves.length = 0;
      head = leaf;
    }
    if (frontier.size === from)
      throw new AppError("conflict", "Events are missing: run a verification, it names them.");
  }
  return { frontier, head, leaves };
}
