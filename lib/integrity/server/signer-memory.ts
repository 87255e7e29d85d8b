import fs from "node:fs";
import path from "node:path";
import { threadId } from "node:worker_threads";
import { z } from "zod";
import { Frontier } from "@/lib/chain/merkle";

/** What the signer knows of a log, kept outside the database so that no writer there can turn it back. */
export interface SignedTree {
  origin: string;
  tree: Frontier;
  /** Leaf `tree.size - 1`; null for the empty tree. */
  head: Buffer | null;
  /** The newest size whose checkpoint was in the database before this was written. */
  stored?: number;
}

const hash = z.hex().length(64);
const fileSchema = z.object({
  origin: z.string(),
  size: z.int().min(0),
  frontier: z.array(hash),
  head: hash.nullable(),
  stored: z.int().min(0).default(0),
});

const fileOf = (directory: string, organizationId: string) =>
  path.join(directory, `${organizationId}.json`);

/**
 * @returns null where nothing was ever signed.
 * @throws Error for a file that is not whole: signing on from nothing could sign a fork.
 */
export function readSigned(directory: string, organizationId: string): SignedTree | null {
  const file = fileOf(directory, organizationId);
  if (!fs.existsSync(file)) return null;
  try {
    const { origin, size, frontier, head, stored } = fileSchema.parse(
      JSON.parse(fs.readFileSync(file, "utf8")),
    );
    const tree = Frontier.restore(
      size,
      frontier.map((hex) => Buffer.from(hex, "hex")),
    );
    return { origin, tree, head: head === null ? null : Buffer.from(head, "hex"), stored };
  } catch (cause) {
    throw new Error(`${file} cannot be read: restore it from a backup, or begin a new epoch.`, {
      cause,
    });
  }
}

/** Whole and on the disk when this returns; a kill at any point leaves the old or the new one. */
export function writeSigned(directory: string, organizationId: string, signed: SignedTree): void {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = fileOf(directory, organizationId);
  // A verification by hand may write beside the worker's.
  const fresh = `${file}.${process.pid}.${threadId}.new`;
  const { origin, tree, head } = signed;
  const text = JSON.stringify({
    origin,
    size: tree.size,
    frontier: tree.hashes.map((node) => node.toString("hex")),
    head: head?.toString("hex") ?? null,
    stored: signed.stored ?? 0,
  });
  const handle = fs.openSync(fresh, "w", 0o600);
  try {
    fs.writeSync(handle, text);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  fs.renameSync(fresh, file);
  const folder = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
