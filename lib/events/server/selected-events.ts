import { text } from "node:stream/consumers";
import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { EventFilter } from "../filter/ast";
import { fieldRef } from "../filter/edit";
import type { WireEvent } from "../schema";
import { type StoredEvent, toWireEvent } from "../wire";
import { streamCsv } from "./csv";
import { readRows } from "./read";
import { recordDownload } from "./record-read";
import { eventsOf } from "./seen";
import { ofOrganization } from "./where";

/** Chosen events as text for the clipboard, newest first: CSV as downloads have it, or a JSON array. Recorded. */
export async function selectedEvents(
  scope: Scope,
  ids: readonly string[],
  format: "csv" | "json",
): Promise<string> {
  const events = await readWireEvents(scope, ids);
  const text = format === "csv" ? await csvOf(scope, ids) : JSON.stringify(events, null, 2);
  if (events.length > 0)
    await recordDownload(scope, {
      action: "trailseal.events_copied",
      targets: events.map(({ id, action }) => ({ type: "audit_event", id, name: action })),
      metadata: { format },
    });
  return text;
}

async function csvOf(scope: Scope, ids: readonly string[]): Promise<string> {
  const matches = ids.map((value) => ({ operator: "is" as const, value }));
  const filter: EventFilter = {
    clauses: [{ negated: false, condition: { kind: "any", field: fieldRef("id"), matches } }],
  };
  return text(await streamCsv(scope, { filter }));
}

/** Whole events as they leave the system, newest first. */
export async function readWireEvents(scope: Scope, ids: readonly string[]): Promise<WireEvent[]> {
  if (ids.length === 0) return [];
  const { organizationId } = scope;
  const rows = await readRows<Omit<StoredEvent, "occurredAt"> & { occurred_ms: number }>(
    Prisma.sql`SELECT e.id, e.action, e.version, e.actor, e.targets, e.context, e.metadata,
        (extract(epoch FROM e.occurred_at) * 1000)::float8 AS occurred_ms
      FROM ${eventsOf(scope)} WHERE ${ofOrganization(organizationId)} AND e.id IN (${Prisma.join([...ids])})
      ORDER BY e.occurred_at DESC, e.seq DESC`,
  );
  return rows.map(({ occurred_ms, ...row }) =>
    toWireEvent(organizationId, { ...row, occurredAt: new Date(occurred_ms).toISOString() }),
  );
}
