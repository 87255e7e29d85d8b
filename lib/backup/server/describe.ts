import type pg from "pg";

export interface Described {
  postgres: number;
  migration: string;
  events: number;
}

/** What a manifest says of the database, as the client's transaction sees it. */
export async function describeInstance(client: pg.Client): Promise<Described> {
  const { rows } = await client.query<Described>(
    `SELECT current_setting('server_version_num')::int AS postgres,
       (SELECT max(migration_name) FROM _prisma_migrations
        WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL) AS migration,
       (SELECT coalesce(sum(next_seq - first_seq), 0)::float8 FROM log_heads) AS events`,
  );
  return rows[0] as Described;
}
