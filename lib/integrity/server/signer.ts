import path from "node:path";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { formatCheckpoint } from "@/lib/chain/checkpoint";
import { Frontier } from "@/lib/chain/merkle";
import { formatNote, formatVkey, noteKey } from "@/lib/chain/note";
import { inTransaction, longPool, readPool, signerPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import type { Refusal } from "../schema";
import type { Trust } from "./checkpoint-check";
import { readSigned, type SignedTree, writeSigned } from "./signer-memory";
import { knownPublicKeys, type SigningKey, seedKey, signingKeys } from "./signing-keys";

/** Events that one statement reads. */
const PIECE = 10_000;
/** Cut at the first of these (specification §2). */
const CUT_AFTER_MS = 10_000;
const CUT_AFTER_EVENTS = 4_096;

export type Cut =
  | { kind: "signed"; size: number; note: string }
  /** The newest checkpoint covers everything. */
  | { kind: "nothing" }
  /** Another signer has this log now. */
  | { kind: "busy" }
  /** What the database holds does not extend what was signed: nothing is signed until somebody decides. */
  | ({ kind: "refused" } & Refusal);

interface Head {
  organization_id: string;
  origin: string;
  next_seq: number;
}

const HEADS = "SELECT organization_id, origin, next_seq FROM log_heads";

export interface SignerOptions {
  /** Where the signer's own memory is, outside the database. */
  directory?: string;
  /** 32 bytes; instead of this host's keys. */
  seed?: Buffer;
  /** The same, opened. */
  keys?: SigningKey[];
}

export const signerDirectory = (): string => path.join(getEnv().TRAILSEAL_DATA_DIR, "signer");

/** What this host's signer knows of a log; null where it never signed it. */
export function signerTrust({ organizationId }: Scope): Trust | null {
  const signed = readSigned(signerDirectory(), organizationId);
  return (
    signed && {
      publicKeys: knownPublicKeys(),
      signedOrigin: signed.origin,
      signedSize: signed.tree.size,
      storedSize: signed.stored ?? 0,
    }
  );
}

/**
 * The key that verifiers pin for this log.
 * @throws AppError not_found
 */
export async function vkeyOf(scope: Scope): Promise<string> {
  return (await vkeysOf(scope))[0] as string;
}

/** The names that this log was signed under, the present epoch's first; none for an unknown log. */
export async function originsOf({ organizationId }: Scope): Promise<string[]> {
  const { rows } = await longPool().query<{ origin: string }>(
    `SELECT origin FROM (
       SELECT origin, 1000000 AS epoch FROM log_heads WHERE organization_id = $1
       UNION ALL SELECT origin, epoch FROM log_epochs WHERE organization_id = $1) AS known
     GROUP BY origin ORDER BY max(epoch) DESC`,
    [organizationId],
  );
  return rows.map(({ origin }) => origin);
}

/** All keys that this log's checkpoints may be signed with, the present one first. @throws as vkeyOf */
export async function vkeysOf(scope: Scope): Promise<string[]> {
  const origins = await originsOf(scope);
  if (origins.length === 0)
    throw new AppError("not_found", `There is no log of '${scope.organizationId}'.`);
  const keys = knownPublicKeys();
  return origins.flatMap((origin) => keys.map((key) => formatVkey(noteKey(origin, key))));
}

/** Logs whose cut is due; `isLast`: all that have an event that no checkpoint covers. */
export async function logsToSign({ isLast = false } = {}): Promise<string[]> {
  const { rows } = await longPool().query<{ organization_id: string }>(
    `SELECT h.organization_id FROM log_heads h
     CROSS JOIN LATERAL (SELECT coalesce(max(c.tree_size), 0) AS size FROM checkpoints c
       WHERE c.organization_id = h.organization_id AND c.origin = h.origin) covered
     WHERE h.next_seq >= covered.size + $1 OR (h.next_seq > covered.size AND EXISTS (
       SELECT 1 FROM events e WHERE e.organization_id = h.organization_id AND e.seq = covered.size
         AND e.recorded_at <= now() - $2 * interval '1 millisecond'))
     ORDER BY 1`,
    isLast ? [1, 0] : [CUT_AFTER_EVENTS, CUT_AFTER_MS],
  );
  return rows.map((row) => row.organization_id);
}

/**
 * Signs a log up to its head. The tree grows from what the signer remembers, never from what the database says
 * about the past: a checkpoint extends the last one whatever was done to older rows. The memory is written
 * before the checkpoint: after a kill in between, the same text is signed again and stored.
 */
export async function cutCheckpoint(
  organizationId: string,
  options: SignerOptions = {},
): Promise<Cut> {
  const { directory = signerDirectory(), seed } = options;
  const keys = options.keys ?? (seed ? [seedKey(seed)] : signingKeys());
  return inTransaction(signerPool(), async (client): Promise<Cut> => {
    const locked = await client.query<{ locked: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtextextended('sign ' || $1::text, 0)) AS locked",
      [organizationId],
    );
    if (!locked.rows[0]?.locked) return { kind: "busy" };
    const found = await client.query<Head>(`${HEADS} WHERE organization_id = $1`, [organizationId]);
    const log = found.rows[0];
    if (!log) return { kind: "nothing" };
    const signed = readSigned(directory, organizationId);
    const refusal = signed && (await refusalOf(client, log, signed));
    if (refusal) return { kind: "refused", ...refusal };
    const tree = signed?.tree ?? (await beginningOf(client, organizationId));
    const current = signed ?? { origin: log.origin, tree, head: null };

    const store = async ({ tree, origin }: SignedTree): Promise<string | null> => {
      const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() });
      const note = await signWith(keys, origin, text);
      const stored = await client.query(
        `INSERT INTO checkpoints (organization_id, origin, tree_size, root, note)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
        [organizationId, origin, tree.size, tree.root(), note],
      );
      return stored.rowCount === 1 ? note : null;
    };
    const before = current.tree.size;
    // What was signed last may have got lost on its way into the database: it is signed again, the same.
    const restored = signed && before > 0 ? await store(current) : null;
    await grow(client, organizationId, current, log.next_seq);
    const { size } = current.tree;
    if (size === before)
      return restored ? { kind: "signed", size, note: restored } : { kind: "nothing" };
    const stored = signed && !restored ? before : (current.stored ?? 0);
    writeSigned(directory, organizationId, { ...current, stored });
    const note = await store(current);
    return note ? { kind: "signed", size, note } : { kind: "nothing" };
  });
}

export async function signWith(keys: SigningKey[], origin: string, text: string): Promise<string> {
  const signatures = [];
  for (const { publicKey, sign } of keys)
    signatures.push({
      key: noteKey(origin, publicKey),
      signature: await sign(Buffer.from(text)),
    });
  return formatNote(text, signatures);
}

/** Without a memory: the tree of what was pruned, from which the rows go on; the empty one for a whole log. */
async function beginningOf(client: pg.PoolClient, organizationId: string): Promise<Frontier> {
  const { rows } = await client.query<{ prune_size: number; frontier: Buffer[] }>(
    `SELECT prune_size, frontier FROM prunes WHERE organization_id = $1
     ORDER BY prune_size DESC LIMIT 1`,
    [organizationId],
  );
  return rows[0] ? Frontier.restore(rows[0].prune_size, rows[0].frontier) : new Frontier();
}

/** Null where the log extends what the signer remembers. */
async function refusalOf(
  client: pg.PoolClient | pg.Pool,
  { organization_id, origin, next_seq: nextSeq }: Head,
  signed: SignedTree,
): Promise<Refusal | null> {
  const refuse = (why: Refusal["why"]) => ({ why, signedSize: signed.tree.size, nextSeq });
  if (signed.origin !== origin) return refuse("wrong_origin");
  if (signed.tree.size > nextSeq) return refuse("rollback");
  return signed.head && !(await hasHead(client, organization_id, signed)) ? refuse("fork") : null;
}

/** Why nothing is signed for this log; null where it is, and on a host whose signer never signed it. */
export async function readRefusal({ organizationId }: Scope): Promise<Refusal | null> {
  // Before the head, which meanwhile may be signed further.
  const signed = readSigned(signerDirectory(), organizationId);
  const { rows } = await readPool().query<Head>(`${HEADS} WHERE organization_id = $1`, [
    organizationId,
  ]);
  return signed && rows[0] ? refusalOf(readPool(), rows[0], signed) : null;
}

/** Logs that do not extend what was signed, as after a restore of an older backup. */
export async function refusedLogs(): Promise<({ organizationId: string } & Refusal)[]> {
  const { rows } = await longPool().query<Head>(`${HEADS} ORDER BY organization_id`);
  const refused = [];
  for (const { organization_id: organizationId } of rows) {
    const refusal = await readRefusal(systemScope("worker", organizationId));
    if (refusal) refused.push({ organizationId, ...refusal });
  }
  return refused;
}

/** Whether the last leaf that was signed is still the one at its place. */
async function hasHead(
  client: pg.PoolClient | pg.Pool,
  organizationId: string,
  { tree, head }: SignedTree,
): Promise<boolean> {
  const { rows } = await client.query<{ chain_hash: Buffer }>(
    "SELECT chain_hash FROM events WHERE organization_id = $1 AND seq = $2",
    [organizationId, tree.size - 1],
  );
  return rows.length === 1 && rows[0]?.chain_hash.equals(head as Buffer) === true;
}

/** Appends the leaves up to `end`, or to the first that is missing: verification names the damage. */
async function grow(
  client: pg.PoolClient,
  organizationId: string,
  signed: SignedTree,
  end: number,
): Promise<void> {
  while (signed.tree.size < end) {
    const from = signed.tree.size;
    const { rows } = await client.query<{ seq: number; chain_hash: Buffer }>(
      "SELECT seq, chain_hash FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
      [organizationId, from, Math.min(end, from + PIECE)],
    );
    for (const { seq, chain_hash: leaf } of rows) {
      if (seq !== signed.tree.size) return;
      signed.tree.append(leaf);
      signed.head = leaf;
    }
    if (signed.tree.size === from) return;
  }
}
