import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { openCheckpoint } from "@/lib/chain/checkpoint";
import { Frontier } from "@/lib/chain/merkle";
import { noteKey } from "@/lib/chain/note";
import { ownerPool } from "@/lib/db/owner-pool";
import { inTransaction } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { DIRECTORY, restartDirectory } from "./directory";
import { EPOCH_STARTED, epochOrigin } from "./epochs";
import { cutCheckpoint, signerDirectory } from "./signer";
import { readSigned, type SignedTree, writeSigned } from "./signer-memory";
import { knownPublicKeys } from "./signing-keys";
import { readKept } from "./witnesses";

/** Events that one statement reads. */
const PIECE = 10_000;

export interface EpochPlan {
  epoch: number;
  origin: string;
  previousOrigin: string;
  /** The first number under the new origin. */
  startSeq: number;
  /** What the signer remembers of the epoch before, or a witness has more of. */
  signedSize: number;
  /** The newest checkpoint that the surviving events meet; 0 for none. */
  lastGoodSize: number;
  /** Signed events whose numbers are free again. */
  lost: number;
  /** Signed events in whose place others may stand: later than the last good checkpoint. */
  doubtful: number;
  /** Streams that had delivered more than there is now. */
  ahead: string[];
}

export interface EpochOptions {
  /** Also where nothing is lost: the key was stolen. */
  isCompromised?: boolean;
}

interface Surviving {
  frontier: Frontier;
  head: Buffer | null;
  /** Whether the last leaf that was signed is at its place. */
  hasSigned: boolean;
  lastGood: { size: number; note: string } | null;
}

/** What a new epoch would begin with; it changes nothing. @throws AppError as beginEpoch */
export async function planEpoch(scope: Scope, options: EpochOptions = {}): Promise<EpochPlan> {
  const pool = await ownerPool();
  try {
    return await inTransaction(
      pool,
      async (client) => (await plan(client, scope, options)).plan,
      "ISOLATION LEVEL REPEATABLE READ READ ONLY",
    );
  } finally {
    await pool.end();
  }
}

/**
 * Lets a log go on under a new origin after a restore that lost signed events (integrity spec §2, Keys): one
 * transaction changes the origin, seals the event that says what was lost, and sets streams back that are
 * further than the log. The signer's memory follows, and with it the first checkpoint of the epoch. Run again
 * after a kill in between, it ends what was begun.
 * @throws AppError conflict where the log extends what was signed, or events are missing in the middle
 */
export async function beginEpoch(
  scope: Scope,
  reason: string,
  options: EpochOptions = {},
): Promise<EpochPlan> {
  const { organizationId } = scope;
  const pool = await ownerPool();
  try {
    const begun = await inTransaction(pool, async (client) => {
      // Nothing is signed and nothing is added until this has ended.
      await client.query("SELECT pg_advisory_xact_lock(hashtextextended('sign ' || $1::text, 0))", [
        organizationId,
      ]);
      await client.query("UPDATE log_heads SET next_seq = next_seq WHERE organization_id = $1", [
        organizationId,
      ]);
      const { plan: planned, surviving, isBegun } = await plan(client, scope, options);
      if (!isBegun) await write(client, scope, planned, surviving, reason);
      await restartDirectory(client, (origin) => keptSize(DIRECTORY, origin));
      return { planned, surviving };
    });
    const { planned, surviving } = begun;
    writeSigned(signerDirectory(), organizationId, {
      origin: planned.origin,
      tree: surviving.frontier,
      head: surviving.head,
    });
    await cutCheckpoint(organizationId);
    return planned;
  } finally {
    await pool.end();
  }
}

/**
 * Where no log lost an event, but the directory of logs lost entries that were signed: it begins anew.
 * @returns its new origin; null: nothing is lost
 */
export async function beginDirectory(): Promise<string | null> {
  const pool = await ownerPool();
  try {
    return await inTransaction(pool, (client) =>
      restartDirectory(client, (origin) => keptSize(DIRECTORY, origin)),
    );
  } finally {
    await pool.end();
  }
}

async function write(
  client: pg.PoolClient,
  scope: Scope,
  planned: EpochPlan,
  { lastGood }: Surviving,
  reason: string,
): Promise<void> {
  const { organizationId } = scope;
  const { epoch, origin, previousOrigin, startSeq } = planned;
  await client.query(
    `INSERT INTO log_epochs (organization_id, epoch, start_seq, origin)
     VALUES ($1, 1, 0, $4), ($1, $2, $3, $5) ON CONFLICT (organization_id, epoch) DO NOTHING`,
    [organizationId, epoch, startSeq, previousOrigin, origin],
  );
  await client.query("UPDATE log_heads SET origin = $2 WHERE organization_id = $1", [
    organizationId,
    origin,
  ]);
  await appendControlEvent(client, scope, {
    action: EPOCH_STARTED,
    metadata: {
      epoch: String(epoch),
      previous_origin: previousOrigin,
      signed_size: String(planned.signedSize),
      last_good_size: String(planned.lastGoodSize),
      ...(lastGood ? { last_good_checkpoint: lastGood.note } : {}),
      reason,
    },
  });
  await client.query(
    `UPDATE stream_state SET cursor_seq = least(cursor_seq, $2), inflight_to_seq = NULL,
       to_seq = CASE WHEN to_seq > $2 THEN $2 ELSE to_seq END,
       checkpoint_size = least(checkpoint_size, $2), rewinds = rewinds + 1
     WHERE organization_id = $1 AND (cursor_seq > $2 OR inflight_to_seq > $2 OR to_seq > $2)`,
    [organizationId, startSeq],
  );
}

/**
 * A database from before an epoch knows nothing of it: another epoch of the same name would be a second history
 * under one signature.
 */
async function refuseUsedName(
  organizationId: string,
  { first, number, signedOrigin }: { first: string; number: number; signedOrigin: string },
): Promise<void> {
  const tail = signedOrigin.startsWith(`${first}/e`) ? signedOrigin.slice(first.length + 2) : "1";
  const next = epochOrigin(first, number + 1);
  const used =
    Number(tail) > number ? signedOrigin : (await keptSize(organizationId, next)) > 0 ? next : null;
  if (used !== null)
    throw new AppError(
      "conflict",
      `This log went on as ${used} after what the database holds: restore a backup that was made after that began.`,
    );
}

async function plan(
  client: pg.PoolClient,
  { organizationId }: Scope,
  { isCompromised = false }: EpochOptions,
): Promise<{ plan: EpochPlan; surviving: Surviving; isBegun: boolean }> {
  const { rows } = await client.query<{ origin: string; next_seq: number; epoch: number | null }>(
    `SELECT h.origin, h.next_seq::float8 AS next_seq, max(e.epoch) AS epoch FROM log_heads h
     LEFT JOIN log_epochs e ON e.organization_id = h.organization_id
     WHERE h.organization_id = $1 GROUP BY h.origin, h.next_seq`,
    [organizationId],
  );
  const log = rows[0];
  if (!log) throw new AppError("not_found", `There is no log of '${organizationId}'.`);
  const signed = readSigned(signerDirectory(), organizationId);
  if (!signed)
    throw new AppError(
      "conflict",
      "This host's signer never signed this log: there is no epoch to end.",
    );
  const epochs = await client.query<{ epoch: number; origin: string; start_seq: number }>(
    `SELECT epoch, origin, start_seq::float8 AS start_seq FROM log_epochs
     WHERE organization_id = $1 ORDER BY epoch`,
    [organizationId],
  );
  const number = epochs.rows.length || 1;
  const first = epochs.rows[0]?.origin ?? log.origin;
  await refuseUsedName(organizationId, { first, number, signedOrigin: signed.origin });
  // A kill came between the database and the signer's memory.
  const isBegun = number > 1 && signed.origin === epochOrigin(first, number - 1);
  const startSeq = isBegun ? (epochs.rows.at(-1)?.start_seq as number) : log.next_seq;
  const surviving = await surviveTo(client, organizationId, startSeq, signed);
  const size = Math.max(signed.tree.size, await keptSize(organizationId, signed.origin));
  const isWhole = size <= startSeq && surviving.hasSigned;
  if (isWhole && !isBegun && !isCompromised)
    throw new AppError(
      "conflict",
      `The log extends what was signed (${size} events): nothing is lost, and a new epoch is not needed.`,
    );
  const streams = await client.query<{ name: string }>(
    `SELECT s.name FROM streams s JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id
     WHERE s.organization_id = $1 AND s.deleted_at IS NULL AND t.lane = 'live' AND t.cursor_seq > $2 ORDER BY 1`,
    [organizationId, startSeq],
  );
  const epoch = isBegun ? number : number + 1;
  const lastGoodSize = surviving.lastGood?.size ?? 0;
  return {
    plan: {
      epoch,
      origin: epochOrigin(first, epoch),
      previousOrigin: signed.origin,
      startSeq,
      signedSize: size,
      lastGoodSize,
      lost: Math.max(0, size - startSeq),
      doubtful: isWhole ? 0 : Math.min(size, startSeq) - lastGoodSize,
      ahead: streams.rows.map(({ name }) => name),
    },
    surviving,
    isBegun,
  };
}

/** The newest size that witnesses have under a name: this host may have been turned back with its memory. */
async function keptSize(organizationId: string, origin: string): Promise<number> {
  const { notes, gaps } = await readKept(organizationId, [origin], true);
  if (gaps.length > 0) throw new AppError("conflict", `${gaps.join(" ")} An epoch needs to know.`);
  const trusted = knownPublicKeys().map((key) => noteKey(origin, key));
  const own = notes.filter((note) => note.startsWith(`${origin}\n`));
  return Math.max(0, ...own.map((note) => openCheckpoint(note, origin, trusted).size));
}

/** The tree of the events below `end`, and the newest checkpoint that they meet. */
async function surviveTo(
  client: pg.PoolClient,
  organizationId: string,
  end: number,
  { origin, tree, head: signedHead }: SignedTree,
): Promise<Surviving> {
  const prunes = await client.query<{ size: number; frontier: Buffer[]; chain_hash: Buffer }>(
    `SELECT prune_size::float8 AS size, frontier, chain_hash FROM prunes
     WHERE organization_id = $1 ORDER BY prune_size DESC LIMIT 1`,
    [organizationId],
  );
  const [prune] = prunes.rows;
  const frontier = prune ? Frontier.restore(prune.size, prune.frontier) : new Frontier();
  const checkpoints = await client.query<{ size: number; root: Buffer; note: string }>(
    `SELECT tree_size::float8 AS size, root, note FROM checkpoints
     WHERE organization_id = $1 AND origin = $2 AND tree_size > $3 AND tree_size <= $4 ORDER BY tree_size`,
    [organizationId, origin, frontier.size, end],
  );
  const trusted = knownPublicKeys().map((key) => noteKey(origin, key));
  let hasSigned =
    tree.size === 0 || (prune?.size === tree.size && prune.chain_hash.equals(signedHead as Buffer));
  let head = prune?.chain_hash ?? null;
  let lastGood: Surviving["lastGood"] = null;
  while (frontier.size < end) {
    const from = frontier.size;
    const { rows } = await client.query<{ seq: number; chain_hash: Buffer }>(
      "SELECT seq::float8 AS seq, chain_hash FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
      [organizationId, from, Math.min(end, from + PIECE)],
    );
    for (const { seq, chain_hash: leaf } of rows) {
      if (seq !== frontier.size) throw missing(frontier.size);
      frontier.append(leaf);
      head = leaf;
      if (frontier.size === tree.size) hasSigned = leaf.equals(signedHead as Buffer);
      while (checkpoints.rows[0] && checkpoints.rows[0].size <= frontier.size) {
        const { size, root, note } = checkpoints.rows.shift() as (typeof checkpoints.rows)[number];
        if (size !== frontier.size || !frontier.root().equals(root)) continue;
        if (openCheckpoint(note, origin, trusted).root.equals(root)) lastGood = { size, note };
      }
    }
    if (frontier.size === from) throw missing(from);
  }
  return { frontier, head, hasSigned, lastGood };
}

const missing = (seq: number) =>
  new AppError(
    "conflict",
    `Event #${seq} is missing, and later ones are there: run a verification, it names the damage. A new epoch is for a log that ends too early.`,
  );
