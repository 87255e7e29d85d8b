import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import type { Scope } from "@/lib/auth/scope";
import { longPool } from "@/lib/db/pool";
import { fileHeader } from "@/lib/events/server/file-columns";
import { signWith } from "@/lib/integrity/server/signer";
import { type SigningKey, signingKeys } from "@/lib/integrity/server/signing-keys";
import { type Manifest, manifestText } from "../manifest";
import type { NewExport } from "../schema";
import type { ExportFile, Sequence, Written } from "./export-file";
import { leftOf, manifestOf, partOf, rowsOf } from "./files";
import { ManifestData } from "./manifest-data";

/** Leaves that one statement reads. */
const PIECE = 50_000;

/** What is signed of an export that is whole. */
export interface Made extends NewExport {
  id: string;
  createdBy: string;
  createdAt: Date;
  sequence: Sequence;
  written: Written;
  /** Of its rows; null for a bundle. */
  rows: { count: number; sha256: string } | null;
}

/**
 * Writes and signs the manifest beside a file.
 * @param file null for a bundle
 * @returns its size in bytes
 * @throws NoKey when this host has no key to sign with
 */
export async function writeManifest(
  scope: Scope,
  made: Made,
  name: string,
  file: ExportFile | null,
): Promise<number> {
  const { written, sequence, options, format } = made;
  const keys = keysHere();
  const stored = await countStored(scope, sequence);
  const left = options.proof && file ? await writeLeft(scope, name, sequence, file) : null;
  const proof = await evidenceOf(scope, sequence);
  const manifest: Manifest = {
    id: made.id,
    organization_id: scope.organizationId,
    origin: proof.origin,
    created_by: made.createdBy,
    created_at: made.createdAt.toISOString(),
    made_at: new Date().toISOString(),
    format,
    time_zone: "UTC",
    search: made.search,
    options,
    columns: format === "csv" ? fileHeader({ ...options, format }) : null,
    file: { bytes: written.bytes, sha256: written.sha256 },
    sequence: { first_seq: sequence.first, end_seq: sequence.end },
    matching: written.events,
    passed_over: stored - written.events,
    missing: sequence.end - sequence.first - stored,
    checkpoint: proof.checkpoint,
    frontier: proof.frontier.map((hash) => hash.toString("hex")),
    rows: made.rows,
    left,
  };
  const note = await signWith(keys, proof.origin, manifestText(manifest));
  const part = partOf(manifestOf(name));
  const handle = await open(part, "w", 0o600);
  try {
    await handle.writeFile(note);
    const data = [made.rows && rowsOf(name), left && leftOf(name)].filter((one) => one !== null);
    for (const one of data) {
      for await (const chunk of createReadStream(one)) await handle.writeFile(chunk as Buffer);
      await rm(one);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, manifestOf(name));
  return (await stat(manifestOf(name))).size;
}

/** Nothing is signed here: another host has the keys. */
export class NoKey extends Error {}

function keysHere(): SigningKey[] {
  try {
    return signingKeys();
  } catch (cause) {
    throw new NoKey("This host has no key to sign manifests with.", { cause });
  }
}

/** How many of these events the database has: all, unless somebody removed some. */
async function countStored({ organizationId }: Scope, { first, end }: Sequence): Promise<number> {
  let count = 0;
  for (let from = first; from < end; from += PIECE) {
    const { rows } = await longPool().query<{ count: number }>(
      "SELECT count(*)::int AS count FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3",
      [organizationId, from, Math.min(end, from + PIECE)],
    );
    count += rows[0]?.count ?? 0;
  }
  return count;
}

/** The checkpoint that covers just these events, and what the tree needs below them. */
async function evidenceOf(
  { organizationId }: Scope,
  { first, end }: Sequence,
): Promise<{ origin: string; checkpoint: string | null; frontier: Buffer[] }> {
  const { rows } = await longPool().query<{
    origin: string;
    note: string | null;
    frontier: Buffer[] | null;
  }>(
    `SELECT h.origin, c.note, p.frontier FROM log_heads h
     LEFT JOIN checkpoints c ON c.organization_id = h.organization_id AND c.origin = h.origin AND c.tree_size = $2
     LEFT JOIN prunes p ON p.organization_id = h.organization_id AND p.prune_size = $3
     WHERE h.organization_id = $1`,
    [organizationId, end, first],
  );
  const [row] = rows;
  if (!row) throw new Error(`There is no log of '${organizationId}'.`);
  return { origin: row.origin, checkpoint: row.note, frontier: row.frontier ?? [] };
}

/** The leaf hashes of what is not in the file, by sequence. */
async function writeLeft(
  { organizationId }: Scope,
  name: string,
  { first, end }: Sequence,
  file: ExportFile,
): Promise<{ count: number; sha256: string }> {
  const left = await ManifestData.create("left", leftOf(name));
  try {
    for (let from = first; from < end; from += PIECE) {
      const { rows } = await longPool().query<{ seq: number; leaf: string }>(
        "SELECT seq, encode(chain_hash, 'hex') AS leaf FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
        [organizationId, from, Math.min(end, from + PIECE)],
      );
      for (const { seq, leaf } of rows) if (!file.holds(seq)) left.add(leaf);
      await left.flush();
    }
    return await left.finish();
  } finally {
    await left.close();
  }
}
