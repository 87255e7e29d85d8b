import type pg from "pg";
import { formatCheckpoint } from "@/lib/chain/checkpoint";
import { Frontier } from "@/lib/chain/merkle";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, longPool, signerPool } from "@/lib/db/pool";
import { epochOrigin } from "./epochs";
import { type SignerOptions, signerDirectory, signWith } from "./signer";
import { readSigned, type SignedTree, writeSigned } from "./signer-memory";
import { seedKey, signingKeys } from "./signing-keys";

/**
 * The log over all logs (integrity spec §2): every checkpoint of every organization is a leaf of
 * `<prefix>/_directory`. One checkpoint of it, kept elsewhere, covers all organizations, and shows one that was
 * removed with everything that it had.
 */

export const DIRECTORY = "_directory";

/** Checkpoints that one turn takes in. */
const AT_ONCE = 5_000;

export interface DirectoryNote {
  origin: string;
  size: number;
  note: string;
}

export type DirectoryUpdate =
  | { kind: "signed"; size: number }
  /** Every checkpoint is in it already, or there is none; or another signer has it. */
  | { kind: "nothing" }
  /** What is stored does not extend what was signed. */
  | { kind: "refused"; signedSize: number };

/** RFC 6962 leaf hash of a signed note. */
export const directoryLeaf = (note: string): Buffer => sha256(`\u0000${note}`);

/** Takes in the checkpoints that came since, and signs. The memory is written before the checkpoint, as for logs. */
export async function updateDirectory({
  directory = signerDirectory(),
  seed,
}: SignerOptions = {}): Promise<DirectoryUpdate> {
  const keys = seed ? [seedKey(seed)] : signingKeys();
  return inTransaction(signerPool(), async (client): Promise<DirectoryUpdate> => {
    const locked = await client.query<{ locked: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtextextended('sign _directory', 0)) AS locked",
    );
    if (!locked.rows[0]?.locked) return { kind: "nothing" };
    const prefix = await readPrefix(client);
    if (!prefix) return { kind: "nothing" };
    const signed = readSigned(directory, DIRECTORY) ?? {
      origin: `${prefix}/${DIRECTORY}`,
      tree: new Frontier(),
      head: null,
    };
    const before = signed.tree.size;
    if (!(await hasSigned(client, signed))) return { kind: "refused", signedSize: before };
    await catchUp(client, signed);
    await takeIn(client, signed);
    const { origin, tree } = signed;
    if (tree.size === 0) return { kind: "nothing" };
    if (tree.size > before) writeSigned(directory, DIRECTORY, signed);
    const root = tree.root();
    const text = formatCheckpoint({ origin, size: tree.size, root });
    const stored = await client.query(
      `INSERT INTO directory_checkpoints (origin, tree_size, root, note) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [origin, tree.size, root, await signWith(keys, origin, text)],
    );
    return stored.rowCount === 1 ? { kind: "signed", size: tree.size } : { kind: "nothing" };
  });
}

/** The first part of every origin, as the logs have it; null before there is one. */
async function readPrefix(client: pg.PoolClient): Promise<string | null> {
  const { rows } = await client.query<{ prefix: string }>(
    `SELECT left(coalesce(e.origin, h.origin), -length(h.organization_id) - 1) AS prefix FROM log_heads h
     LEFT JOIN log_epochs e ON e.organization_id = h.organization_id AND e.epoch = 1
     ORDER BY h.organization_id LIMIT 1`,
  );
  return rows[0]?.prefix ?? null;
}

async function hasSigned(
  client: pg.PoolClient,
  { origin, tree, head }: SignedTree,
): Promise<boolean> {
  if (!head) return true;
  const { rows } = await client.query<{ note: string }>(
    "SELECT note FROM directory_entries WHERE origin = $1 AND idx = $2",
    [origin, tree.size - 1],
  );
  return rows[0] !== undefined && directoryLeaf(rows[0].note).equals(head);
}

function append(signed: SignedTree, note: string): void {
  const leaf = directoryLeaf(note);
  signed.tree.append(leaf);
  signed.head = leaf;
}

/** Entries whose checkpoint got lost with the signer's memory. */
async function catchUp(client: pg.PoolClient, signed: SignedTree): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ note: string }>(
      "SELECT note FROM directory_entries WHERE origin = $1 AND idx >= $2 ORDER BY idx LIMIT $3",
      [signed.origin, signed.tree.size, AT_ONCE],
    );
    for (const { note } of rows) append(signed, note);
    if (rows.length < AT_ONCE) return;
  }
}

async function takeIn(client: pg.PoolClient, signed: SignedTree): Promise<void> {
  const { rows } = await client.query<{
    organization_id: string;
    origin: string;
    tree_size: number;
    note: string;
  }>(
    `SELECT c.organization_id, c.origin, c.tree_size, c.note FROM log_heads h
     CROSS JOIN LATERAL (SELECT coalesce(max(d.log_size), 0) AS size FROM directory_entries d
       WHERE d.origin = $1 AND d.organization_id = h.organization_id AND d.log_origin = h.origin) known
     JOIN checkpoints c ON c.organization_id = h.organization_id AND c.origin = h.origin AND c.tree_size > known.size
     ORDER BY c.organization_id, c.tree_size LIMIT $2`,
    [signed.origin, AT_ONCE],
  );
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO directory_entries (origin, idx, organization_id, log_origin, log_size, note)
     SELECT $1, $2 + at - 1, organization_id, log_origin, log_size, note
     FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[]) WITH ORDINALITY
       AS fresh (organization_id, log_origin, log_size, note, at)`,
    [
      signed.origin,
      signed.tree.size,
      rows.map((row) => row.organization_id),
      rows.map((row) => row.origin),
      rows.map((row) => row.tree_size),
      rows.map((row) => row.note),
    ],
  );
  for (const { note } of rows) append(signed, note);
}

/**
 * Where entries that were signed are lost, the directory begins anew under another origin.
 * @param keptSize the newest size that witnesses have under the present one
 * @returns the new origin; null: none is lost
 */
export async function restartDirectory(
  client: pg.PoolClient,
  keptSize: (origin: string) => Promise<number> = async () => 0,
): Promise<string | null> {
  const signed = readSigned(signerDirectory(), DIRECTORY);
  if (!signed) return null;
  const isAhead = (await keptSize(signed.origin)) > signed.tree.size;
  if (!isAhead && (await hasSigned(client, signed))) return null;
  const [, first, number] = /^(.+?)(?:\/e(\d+))?$/.exec(signed.origin) as RegExpExecArray;
  const origin = epochOrigin(first as string, Number(number ?? 1) + 1);
  writeSigned(signerDirectory(), DIRECTORY, { origin, tree: new Frontier(), head: null });
  return origin;
}

/** The newest checkpoint of the directory; null for none. */
export async function newestDirectoryNote(): Promise<DirectoryNote | null> {
  const { rows } = await longPool().query<{ origin: string; tree_size: number; note: string }>(
    "SELECT origin, tree_size, note FROM directory_checkpoints ORDER BY created_at DESC, tree_size DESC LIMIT 1",
  );
  return rows[0] ? { origin: rows[0].origin, size: rows[0].tree_size, note: rows[0].note } : null;
}
