import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { readRows } from "@/lib/events/server/read";
import { uncounted } from "@/lib/events/server/rolled-up";
import { Prisma } from "@/lib/generated/prisma/client";
import type { Period } from "../period";

const SHOWN = 10;

export interface KeyCount {
  id: string;
  /** null for a key that is not there any more. */
  name: string | null;
  events: number;
}

/** The keys that sent most, by when their events were received. */
export async function readKeys(
  { organizationId }: Scope,
  { from, to }: Period,
): Promise<KeyCount[]> {
  const counts = await readRows<{ id: string; events: number }>(Prisma.sql`
    WITH counted AS (
      SELECT api_key_id, hour AS at, events FROM rollup_keys_hourly WHERE organization_id = ${organizationId}
      UNION ALL SELECT api_key_id, recorded_at, 1 FROM ${uncounted(organizationId)} e
      WHERE api_key_id IS NOT NULL
    )
    SELECT api_key_id AS id, sum(events)::float8 AS events FROM counted
    WHERE at >= ${from}::timestamptz AND at < ${to}::timestamptz
    GROUP BY 1 ORDER BY events DESC, id LIMIT ${SHOWN}`);
  const keys = await getPrisma().apiKey.findMany({
    where: { id: { in: counts.map(({ id }) => id) } },
    select: { id: true, name: true },
  });
  return counts.map((count) => ({
    ...count,
    name: keys.find(({ id }) => id === count.id)?.name ?? null,
  }));
}
