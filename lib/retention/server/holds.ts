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
    return { ...hold, createdAt: rows[0]?.created_at.toISOString() as string, releasedAt: null };
  });
}

/** @throws AppError not_found for a hold that is not open */
export async function releaseHold(scope: Scope, id: string, reason: string): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    await appendControlEvent(client, scope, {
      action: "trailseal.hold_released",
      targets: [{ type: "legal_hold", id }],
      metadata: { reason },
      isDeletedToo: true,
    });
    const { rowCount } = await client.query(
      "UPDATE legal_holds SET released_at = now() WHERE organization_id = $1 AND id = $2 AND released_at IS NULL",
      [scope.organizationId, id],
    );
    if (rowCount === 0) throw new AppError("not_found", `There is no open hold '${id}'.`);
  });
}

/** Open ones first. */
export async function listHolds({ organizationId }: Scope): Promise<Hold[]> {
  const { rows } = await writePool().query(
    `SELECT id, reason, created_by, created_at, released_at FROM legal_holds
     WHERE organization_id = $1 ORDER BY released_at IS NULL DESC, created_at DESC, id DESC LIMIT 200`,
    [organizationId],
  );
  return rows.map((row) => ({
    id: row.id,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    releasedAt: row.released_at?.toISOString() ?? null,
  }));
}
