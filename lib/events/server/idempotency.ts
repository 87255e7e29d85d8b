import { writePool } from "@/lib/db/pool";

const BATCH = 5_000;

/**
 * Removes keys of API requests whose 24 hours are over. Keys of imports live as long as their event,
 * whatever their expiry says: a file may come again next year.
 */
export async function deleteExpiredKeys(): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { rowCount } = await writePool().query(
      `DELETE FROM idempotency_keys WHERE (organization_id, key_hash) IN (
         SELECT organization_id, key_hash FROM idempotency_keys WHERE source = 'api' AND expires_at < now() LIMIT $1)
       AND source = 'api'`,
      [BATCH],
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return deleted;
  }
}
