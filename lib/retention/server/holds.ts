import type { Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { newUlid } from "@/lib/ids";
import type { Hold } from "../schema";
import { lockForHold } from "./owner-transaction";

const creatorOf = ({ principal }: Scope) =>
  principal.kind === "user" ? principal.email : principal.kind;

export async function placeHold(scope: Scope, reason: string): Promise<Hold> {
  const hold = { id: `hold_${newUlid()}`, reason, createdBy: creatorOf(scope) };
  return inTransaction(writePool(), async (client) => {
    await lockForHold(client);
    await appendControlEvent(client, scope, {
      action: "trailseal.hold_placed",
      targets: [{ type: "legal_hold", id: hold.id }],
      metadata: { reason },
      isDeletedToo: true,
    });
    const { rows } = await client.query<{ created_at: Date }>(
      "INSERT INTO legal_holds (organization_id, id, reason, created_by) VALUES ($1, $2, $3, $4) RETURNING created_at",
      [scope.organizationId, hold.id, reason, hold.createdBy],
    );
    const createdAt = rows[0]?.created_at.toISOString() as string;
    return { ...hold, createdAt, releasedAt: null, isOnlySealed: false };
  });
}

/** @throws AppError not_found for a hold that is not open */
export async function releaseHold(scope: Scope, id: string, reason: string): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    const open = await client.query(
      "SELECT 1 FROM open_holds WHERE organization_id = $1 AND id = $2",
      [scope.organizationId, id],
    );
    if (open.rowCount === 0) throw new AppError("not_found", `There is no open hold '${id}'.`);
    await appendControlEvent(client, scope, {
      action: "trailseal.hold_released",
      targets: [{ type: "legal_hold", id }],
      metadata: { reason },
      isDeletedToo: true,
    });
    await client.query(
      "UPDATE legal_holds SET released_at = now() WHERE organization_id = $1 AND id = $2 AND released_at IS NULL",
      [scope.organizationId, id],
    );
  });
}

const COLUMNS = "id, reason, created_by, created_at";

const toHold = (row: {
  id: string;
  reason: string;
  created_by: string;
  created_at: Date;
  released_at?: Date | null;
  is_only_sealed?: boolean;
}): Hold => ({
  id: row.id,
  reason: row.reason,
  createdBy: row.created_by,
  createdAt: row.created_at.toISOString(),
  releasedAt: row.released_at?.toISOString() ?? null,
  isOnlySealed: row.is_only_sealed ?? false,
});

/** Newest first: by the table, and those of the log that it never saw released. */
export async function openHolds({ organizationId }: Scope): Promise<Hold[]> {
  const { rows } = await writePool().query(
    `SELECT ${COLUMNS}, is_only_sealed FROM open_holds WHERE organization_id = $1
     ORDER BY created_at DESC, id DESC LIMIT 200`,
    [organizationId],
  );
  return rows.map(toHold);
}

/** Open ones first. */
export async function listHolds(scope: Scope): Promise<Hold[]> {
  const open = await openHolds(scope);
  const { rows } = await writePool().query(
    `SELECT ${COLUMNS}, released_at FROM legal_holds
     WHERE organization_id = $1 AND released_at IS NOT NULL AND id <> ALL ($2)
     ORDER BY created_at DESC, id DESC LIMIT 200`,
    [scope.organizationId, open.map(({ id }) => id)],
  );
  return [...open, ...rows.map(toHold)];
}
