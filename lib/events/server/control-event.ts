import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { newId } from "@/lib/ids";
import { append, prepare } from "./append";

/** Seals an event of the log itself, in the caller's transaction. @returns its sequence number */
export async function appendControlEvent(
  client: pg.PoolClient,
  { organizationId, principal }: Scope,
  event: {
    action: `trailseal.${string}`;
    targets?: { type: string; id: string; name?: string }[];
    metadata: Record<string, string>;
    /** Where from, if the event tells of it. */
    context?: { location: string; user_agent?: string };
    /** Hex of 32 bytes; a second event under the same key is not sealed. */
    key?: string;
    /** Also where the organization is deleted. */
    isDeletedToo?: boolean;
  },
): Promise<number> {
  const occurredAt = new Date().toISOString();
  const actor = {
    type: "trailseal",
    id: principal.kind === "user" ? principal.id : principal.kind,
  };
  const item = prepare(organizationId, {
    event: {
      action: event.action,
      version: 1,
      occurredAt,
      receivedOccurredAt: occurredAt,
      actor,
      targets: event.targets ?? [],
      context: event.context ?? null,
      metadata: event.metadata,
    },
    key: event.key ? Buffer.from(event.key, "hex") : sha256(newId("request")),
    keylessKey: null,
    source: "import",
  });
  const [outcome] = await append(client, organizationId, [item], event);
  return outcome?.seq as number;
}
