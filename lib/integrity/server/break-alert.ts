import type pg from "pg";
import { raiseAlert } from "@/lib/alerts/server/alerts";
import type { Scope } from "@/lib/auth/scope";
import { damageWords } from "../damage-words";
import type { Finding } from "../schema";

const isSame = (found: Finding, known: Finding | null) =>
  known?.kind === found.kind && known.seq === found.seq;

/** Tells of a break that was not known, and that one is not found any more. */
export async function alertOnBreak(
  client: pg.PoolClient,
  scope: Scope,
  found: Finding | null,
  known: Finding | null,
): Promise<void> {
  const path = `/o/${scope.organizationId}/integrity`;
  if (found && !isSame(found, known)) {
    const place = found.seq === null ? "" : ` at #${found.seq}`;
    await raiseAlert(client, scope, {
      kind: "integrity.broken",
      title: `The audit log of ${scope.organizationId} does not verify${place}`,
      detail: `${damageWords(found.kind)}: ${found.detail}`,
      path,
    });
  } else if (!found && known) {
    await raiseAlert(client, scope, {
      kind: "integrity.restored",
      title: `The audit log of ${scope.organizationId} verifies again`,
      detail: `${damageWords(known.kind)}: a later check does not find that any more.`,
      path,
    });
  }
}
