import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { readRows } from "./read";
import { ofOrganization } from "./where";

/** More than this is not counted raw. */
const MAX_TAIL = 20_000;

/**
 * Whether the rollups are close behind the head: after a large import they are not.
 * @param toTheEvent not either where they count events that are deleted since
 */
export async function isRolledUp({ organizationId }: Scope, toTheEvent = false): Promise<boolean> {
  const [row] = await readRows<{ tail: number; first: number }>(Prisma.sql`
    SELECT (h.next_seq - coalesce(f.next_seq, 0))::float8 AS tail, h.first_seq::float8 AS first FROM log_heads h
    LEFT JOIN followers f ON f.organization_id = ${organizationId} AND f.name = 'rollups'
    WHERE h.organization_id = ${organizationId}`);
  return (row?.tail ?? 0) <= MAX_TAIL && !(toTheEvent && (row?.first ?? 0) > 0);
}

/**
 * (occurred_at, recorded_at, action, api_key_id) of the events that the rollups have not counted yet, to be
 * read in one statement with them. By its order and limit the planner reads the index by number, whatever it expects.
 */
export function uncounted(organizationId: string): Prisma.Sql {
  return Prisma.sql`(SELECT e.occurred_at, e.recorded_at, e.action, e.api_key_id FROM events e
    WHERE ${ofOrganization(organizationId)} AND e.seq >= coalesce((SELECT f.next_seq FROM followers f
      WHERE f.organization_id = ${organizationId} AND f.name = 'rollups'), 0)
    ORDER BY e.seq LIMIT ${2 * MAX_TAIL})`;
}
