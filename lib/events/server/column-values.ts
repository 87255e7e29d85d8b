import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { FieldRef } from "../filter/ast";
import { type FilterableEvent, fieldTexts } from "../filter/match";
import { readRows } from "./read";
import { eventsOf } from "./seen";
import { ofOrganization } from "./where";

/** A cell shows no more; the whole value is in the event's detail. */
const MAX_CELL_LENGTH = 200;

export interface RowKey {
  seq: number;
  recordedAt: string;
}

/**
 * What the given fields hold in the given events, for columns beyond those that every row has.
 * @returns per sequence number one text per field: several values joined, null where there is none
 */
export async function readColumnValues(
  scope: Scope,
  keys: readonly RowKey[],
  fields: readonly FieldRef[],
): Promise<Record<number, (string | null)[]>> {
  if (keys.length === 0 || fields.length === 0) return {};
  const times = keys.map(({ recordedAt }) => recordedAt).sort();
  const rows = await readRows<FilterableEvent & { seq: number }>(
    Prisma.sql`SELECT e.seq::float8 AS seq, e.id, e.action, e.version, e.actor, e.targets, e.context, e.metadata
      FROM ${eventsOf(scope)} WHERE ${ofOrganization(scope.organizationId)}
        AND e.seq IN (${Prisma.join(keys.map(({ seq }) => seq))})
        AND e.recorded_at BETWEEN ${times[0]}::timestamptz AND ${times.at(-1)}::timestamptz`,
  );
  return Object.fromEntries(
    rows.map((event) => [event.seq, fields.map((field) => cellText(fieldTexts(field, event)))]),
  );
}

function cellText(texts: readonly string[]): string | null {
  if (texts.length === 0) return null;
  const text = texts.join(", ");
  return text.length > MAX_CELL_LENGTH ? `${text.slice(0, MAX_CELL_LENGTH)}…` : text;
}
