import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";

/** Every change of a stream is an event of the log that the stream carries. */

interface Change<T> {
  result: T;
  /** Of the event: at most 500 characters each, never a secret. */
  metadata?: Record<string, string>;
}

/**
 * Changes one stream and records that in the organization's own log, in one transaction.
 * @throws AppError not_found for deleted streams and those of other organizations
 */
export async function changeStream<T>(
  scope: Scope,
  id: string,
  what: string,
  work: (client: pg.PoolClient) => Promise<Change<T>>,
): Promise<T> {
  return inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT name FROM streams WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL",
      [scope.organizationId, id],
    );
    const [stream] = rows;
    if (!stream) throw new AppError("not_found", "There is no such stream.");
    const { result, metadata = {} } = await work(client);
    await recordChange(client, scope, { id, name: stream.name }, what, metadata);
    return result;
  });
}

/** @returns the sequence number of the event that tells of it */
export function recordChange(
  client: pg.PoolClient,
  scope: Scope,
  stream: { id: string; name: string },
  what: string,
  metadata: Record<string, string>,
): Promise<number> {
  return appendControlEvent(client, scope, {
    action: `trailseal.stream_${what}`,
    targets: [{ type: "stream", ...stream }],
    metadata,
  });
}
