import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { currentRequest } from "@/lib/http/request-context";
import { newId } from "@/lib/ids";
import { append, type Prepared, prepare } from "./append";

export interface ControlEvent {
  action: `trailseal.${string}`;
  targets?: { type: string; id: string; name?: string }[];
  metadata?: Record<string, string>;
  /** Where from; left out: where the request under way comes from. */
  context?: { location: string; user_agent?: string };
  /** Hex of 32 bytes; a second event under the same key is not sealed. */
  key?: string;
}

/** Where somebody comes from, as an event has it. */
export const contextOf = (from: { address: string; userAgent: string | null }) => ({
  location: from.address,
  ...(from.userAgent === null ? {} : { user_agent: from.userAgent.slice(0, 500) }),
});

function contextHere(): ReturnType<typeof contextOf> | null {
  const request = currentRequest();
  return (
    (request && contextOf({ address: request.clientAddress, userAgent: request.userAgent })) ?? null
  );
}

/** An event of the log itself, ready to be sealed: who did it is who the scope names. */
export function controlItem({ organizationId, principal }: Scope, event: ControlEvent): Prepared {
  const occurredAt = new Date().toISOString();
  return prepare(organizationId, {
    event: {
      action: event.action,
      version: 1,
      occurredAt,
      receivedOccurredAt: occurredAt,
      actor: {
        type: "trailseal",
        id: "id" in principal ? principal.id : principal.kind,
        ...(principal.kind === "user" ? { name: principal.email } : {}),
      },
      targets: event.targets ?? [],
      context: event.context ?? contextHere(),
      metadata: event.metadata ?? {},
    },
    key: event.key ? Buffer.from(event.key, "hex") : sha256(newId("request")),
    keylessKey: null,
    source: "import",
  });
}

/**
 * Seals an event of the log itself, in the caller's transaction.
 * @param options.isDeletedToo also where the organization is deleted
 * @returns its sequence number
 */
export async function appendControlEvent(
  client: pg.PoolClient,
  scope: Scope,
  event: ControlEvent & { isDeletedToo?: boolean },
): Promise<number> {
  const item = controlItem(scope, event);
  const [outcome] = await append(client, scope.organizationId, [item], event);
  return outcome?.seq as number;
}

/** Several at once. */
export async function appendControlEvents(
  client: pg.PoolClient,
  scope: Scope,
  events: ControlEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const items = events.map((event) => controlItem(scope, event));
  await append(client, scope.organizationId, items);
}
