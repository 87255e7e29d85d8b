import { longPool } from "@/lib/db/pool";
import type { WitnessKind } from "../schema";
import { DIRECTORY } from "./directory";

/**
 * Witnesses: places, best out of this host's reach, to which every stored checkpoint is published, each once and in
 * order, and which every verification holds the rows against. The log over all logs (`_directory`) is one of those
 * that are published.
 */

/** A log that has checkpoints. */
export interface SignedLog {
  organizationId: string;
  origin: string;
  /** Of its newest checkpoint. */
  size: number;
}

export interface Witness {
  kind: WitnessKind;
  /**
   * Publishes what is stored and newer than the newest there, perhaps only the next so many.
   * @returns size of the newest there afterwards
   * @throws WitnessConflict; Error in words when it cannot be reached: what is left is tried again
   */
  publish(log: SignedLog): Promise<number>;
  /** The newest notes there, and sentences on those that should be there and are not. @throws Error in words */
  read(organizationId: string, origins: string[], isNewestOnly: boolean): Promise<Kept>;
}

export interface Kept {
  notes: string[];
  gaps: string[];
}

/** What is there is not what is stored here: nothing more is published for this log until somebody looks. */
export class WitnessConflict extends Error {}

/** All that have a checkpoint, or one of them. */
export async function signedLogs(organizationId: string | null = null): Promise<SignedLog[]> {
  const { rows } = await longPool().query<SignedLog>(
    `SELECT organization_id AS "organizationId", origin, size FROM (
       SELECT h.organization_id, h.origin, c.size FROM log_heads h
       CROSS JOIN LATERAL (SELECT max(tree_size) AS size FROM checkpoints c
         WHERE c.organization_id = h.organization_id AND c.origin = h.origin) c
       WHERE c.size IS NOT NULL
       UNION ALL
       (SELECT $2, origin, tree_size FROM directory_checkpoints ORDER BY created_at DESC, tree_size DESC LIMIT 1)
     ) AS log WHERE $1::text IS NULL OR organization_id = $1`,
    [organizationId, DIRECTORY],
  );
  return rows;
}

export interface StoredNote {
  size: number;
  note: string;
}

/** Stored checkpoints of sizes from < size ≤ to, the first `limit`, or the last of them, newest first. */
export async function storedNotes(
  { organizationId, origin }: Pick<SignedLog, "organizationId" | "origin">,
  range: { from?: number; to?: number; limit: number; isNewestFirst?: boolean },
): Promise<StoredNote[]> {
  const isDirectory = organizationId === DIRECTORY;
  const { rows } = await longPool().query<StoredNote>(
    `SELECT tree_size AS size, note FROM ${isDirectory ? "directory_checkpoints" : "checkpoints"}
     WHERE origin = $1 AND tree_size > $2 AND tree_size <= $3 ${isDirectory ? "" : "AND organization_id = $5"}
     ORDER BY tree_size ${range.isNewestFirst ? "DESC" : "ASC"} LIMIT $4`,
    [
      origin,
      range.from ?? 0,
      range.to ?? Number.MAX_SAFE_INTEGER,
      range.limit,
      ...(isDirectory ? [] : [organizationId]),
    ],
  );
  return rows;
}
