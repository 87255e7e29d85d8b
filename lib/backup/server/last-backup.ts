import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { readPool, writePool } from "@/lib/db/pool";
import { bytesOf, type LastBackup, lastBackupSchema, type Manifest } from "../schema";

const KEY = "last_backup";

/** Keeps in the database that a backup ended; the backup itself knows of the one before it. */
export async function recordBackup(
  _scope: InstanceScope,
  manifest: Manifest,
  withKeys: boolean,
): Promise<void> {
  const { name, kind, started_at, finished_at, covers_until, events } = manifest;
  const last: LastBackup = {
    ...{ name, kind, started_at, finished_at, covers_until, events },
    bytes: bytesOf(manifest),
    with_keys: withKeys,
  };
  await writePool().query(
    "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
    [KEY, JSON.stringify(last)],
  );
}

/** Null: none was ever made. */
export async function readLastBackup(_scope: InstanceScope | Scope): Promise<LastBackup | null> {
  const { rows } = await readPool().query<{ value: unknown }>(
    "SELECT value FROM settings WHERE key = $1",
    [KEY],
  );
  return rows[0] ? lastBackupSchema.parse(rows[0].value) : null;
}
