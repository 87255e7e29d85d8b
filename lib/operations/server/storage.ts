import fs from "node:fs/promises";
import type { InstanceScope } from "@/lib/auth/scope";
import { readPool, writePool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import type { SizeSample, Storage } from "../schema";

const SAMPLES = 400;

interface Sizes {
  databaseBytes: number;
  events: number;
  eventsSealed: number;
}

async function readSizes(): Promise<Sizes> {
  const { rows } = await readPool().query<Sizes>(
    `SELECT pg_database_size(current_database()) AS "databaseBytes",
       coalesce(sum(next_seq - first_seq), 0)::bigint AS events,
       coalesce(sum(next_seq), 0)::bigint AS "eventsSealed"
     FROM log_heads`,
  );
  return rows[0] as Sizes;
}

/** Keeps today's sizes, in place of what was read earlier today. */
export async function sampleSizes(): Promise<void> {
  const { databaseBytes, eventsSealed } = await readSizes();
  await writePool().query(
    `INSERT INTO size_samples (day, database_bytes, events_sealed)
     VALUES ((now() AT TIME ZONE 'UTC')::date, $1, $2)
     ON CONFLICT (day) DO UPDATE SET database_bytes = EXCLUDED.database_bytes,
       events_sealed = EXCLUDED.events_sealed, read_at = now()`,
    [databaseBytes, eventsSealed],
  );
  await writePool().query("DELETE FROM size_samples WHERE day < current_date - $1::int", [SAMPLES]);
}

/** On Citus: of what lies on this node. */
export async function readStorage(_scope: InstanceScope, isEmbedded: boolean): Promise<Storage> {
  const [sizes, tables, samples, disk] = await Promise.all([
    readSizes(),
    readPool().query<{ bytes: number }>(
      "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint AS bytes FROM pg_partition_tree('events')",
    ),
    readPool().query<SizeSample>(
      `SELECT to_char(day, 'YYYY-MM-DD') AS day, database_bytes AS "databaseBytes", events_sealed AS "eventsSealed"
       FROM size_samples ORDER BY day`,
    ),
    fs.statfs(getEnv().TRAILSEAL_DATA_DIR),
  ]);
  return {
    ...sizes,
    eventBytes: tables.rows[0]?.bytes ?? 0,
    samples: samples.rows,
    disk: {
      freeBytes: disk.bavail * disk.bsize,
      totalBytes: disk.blocks * disk.bsize,
      holdsDatabase: isEmbedded,
    },
  };
}
