import { type Checkpoint, claimedCheckpoint, openCheckpoint } from "@/lib/chain/checkpoint";
import { Frontier } from "@/lib/chain/merkle";
import { noteKey } from "@/lib/chain/note";
import { inTransaction, longPool } from "@/lib/db/pool";
import type { DamageKind } from "../schema";
import { DIRECTORY, directoryLeaf, newestDirectoryNote } from "./directory";
import { signerDirectory } from "./signer";
import { readSigned } from "./signer-memory";
import { knownPublicKeys } from "./signing-keys";
import { readKept } from "./witnesses";

interface DirectoryFinding {
  kind: DamageKind;
  /** The log that it is about; null for the directory itself. */
  origin: string | null;
  detail: string;
}

export interface DirectoryVerdict {
  ok: boolean;
  origin: string | null;
  /** Entries recomputed, and logs that they name. */
  entries: number;
  logs: number;
  checkpoints: number;
  findings: DirectoryFinding[];
  /** What could not be said, in sentences. */
  not_covered: string[];
}

interface Entry {
  idx: number;
  organization_id: string;
  log_origin: string;
  log_size: number;
  note: string;
}

const PIECE = 10_000;
const MOST_FINDINGS = 100;

/**
 * Recomputes the directory and holds the logs that it names against the database: whether each is there, as far
 * as it was signed. What it finds on a log's own events is for that log's verification.
 * @param given checkpoints of the directory that were kept elsewhere, beside those that witnesses keep
 */
export async function verifyDirectory(given: readonly string[] = []): Promise<DirectoryVerdict> {
  const findings: DirectoryFinding[] = [];
  const find = (kind: DamageKind, origin: string | null, detail: string) => {
    if (findings.length < MOST_FINDINGS) findings.push({ kind, origin, detail });
  };
  const signed = readSigned(signerDirectory(), DIRECTORY);
  const origin = signed?.origin ?? (await newestDirectoryNote())?.origin ?? null;
  const counts = { entries: 0, logs: 0, checkpoints: 0 };
  const verdict: DirectoryVerdict = { ok: false, origin, ...counts, findings, not_covered: [] };
  if (!origin) {
    find("nothing_checked", null, "nothing is signed yet");
    return verdict;
  }
  const kept = await readKept(DIRECTORY, [origin]);
  verdict.not_covered.push(...kept.gaps);
  const keys = knownPublicKeys();
  const open = (note: string, of: string, what: string): Checkpoint | null => {
    try {
      return openCheckpoint(
        note,
        of,
        keys.map((key) => noteKey(of, key)),
      );
    } catch (error) {
      find("bad_signature", of, `${what}: ${(error as Error).message}`);
      return null;
    }
  };
  await inTransaction(
    longPool(),
    async (client) => {
      const stored = await client.query<{ tree_size: number; note: string }>(
        "SELECT tree_size, note FROM directory_checkpoints WHERE origin = $1 ORDER BY tree_size",
        [origin],
      );
      const roots = new Map<number, string[]>();
      const own = [...given, ...kept.notes].filter((note) => note.startsWith(`${origin}\n`));
      for (const note of [...stored.rows.map((row) => row.note), ...own]) {
        const { size } = claimedCheckpoint(note);
        roots.set(size, [...(roots.get(size) ?? []), note]);
      }
      const tree = new Frontier();
      const newest = new Map<string, Entry>();
      for (;;) {
        const { rows } = await client.query<Entry>(
          `SELECT idx, organization_id, log_origin, log_size, note FROM directory_entries
           WHERE origin = $1 AND idx >= $2 ORDER BY idx LIMIT $3`,
          [origin, tree.size, PIECE],
        );
        for (const entry of rows) {
          if (entry.idx !== tree.size) break;
          const said = open(entry.note, entry.log_origin, `entry ${entry.idx}`);
          if (said && said.size !== entry.log_size)
            find(
              "checkpoint_row_mismatch",
              entry.log_origin,
              `entry ${entry.idx} names another size`,
            );
          newest.set(entry.log_origin, entry);
          tree.append(directoryLeaf(entry.note));
          for (const note of roots.get(tree.size) ?? []) {
            const checkpoint = open(note, origin, `the checkpoint of ${tree.size} entries`);
            if (!checkpoint) continue;
            verdict.checkpoints += 1;
            if (!checkpoint.root.equals(tree.root()))
              find(
                "history_rewritten",
                null,
                `the first ${tree.size} entries are not those that were signed`,
              );
          }
        }
        if (rows.length < PIECE || rows.at(-1)?.idx !== tree.size - 1) break;
      }
      verdict.entries = tree.size;
      verdict.logs = newest.size;
      const signedTo = Math.max(signed?.tree.size ?? 0, ...roots.keys());
      if (signedTo > tree.size)
        find("truncated_tail", null, `${signedTo} entries were signed, ${tree.size} are there`);
      const logs = await client.query<{
        organization_id: string;
        origin: string;
        next_seq: number;
      }>("SELECT organization_id, origin, next_seq FROM log_heads");
      const heads = new Map(logs.rows.map((row) => [row.organization_id, row] as const));
      for (const { organization_id, log_origin, log_size } of newest.values()) {
        const head = heads.get(organization_id);
        if (!head)
          find("missing_log", log_origin, `${log_size} events were signed, the log is gone`);
        else if (head.origin === log_origin && head.next_seq < log_size)
          find(
            "truncated_tail",
            log_origin,
            `${log_size} events were signed, the log head says ${head.next_seq}`,
          );
      }
      const lost = await client.query<{ log_origin: string; log_size: number }>(
        `SELECT DISTINCT ON (d.log_origin) d.log_origin, d.log_size FROM directory_entries d
         JOIN log_heads h ON h.organization_id = d.organization_id AND h.origin = d.log_origin
         LEFT JOIN checkpoints c ON c.organization_id = d.organization_id AND c.origin = d.log_origin
           AND c.tree_size = d.log_size
         WHERE d.origin = $1 AND c.note IS DISTINCT FROM d.note ORDER BY d.log_origin, d.log_size`,
        [origin],
      );
      for (const { log_origin, log_size } of lost.rows)
        find(
          "missing_checkpoint",
          log_origin,
          `its checkpoint of ${log_size} events is gone, or another`,
        );
    },
    "ISOLATION LEVEL REPEATABLE READ READ ONLY",
  );
  if (verdict.entries === 0 && findings.length === 0)
    find("nothing_checked", null, "nothing is signed yet");
  return { ...verdict, ok: findings.length === 0 };
}
