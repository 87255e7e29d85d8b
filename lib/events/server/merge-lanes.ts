import type { EventRow } from "../schema";
import type { Lane } from "../subject";
import { decodeCursor, encodeCursor, type Position } from "./cursor";
import type { EventPage } from "./list";

export interface MergedPage extends Omit<EventPage, "rows"> {
  rows: (EventRow & { lanes: Lane[] })[];
}

function compare(left: Position, right: Position): number {
  return left.occurredAtMs - right.occurredAtMs || left.seq - right.seq;
}

function positionOf(row: EventRow): Position {
  return { occurredAtMs: Date.parse(row.occurredAt), seq: row.seq };
}

/**
 * One page out of a page of each lane, all read from the same place in the same direction. Each lane is
 * whole up to its own cursor, so the merged page ends where the first of them does; what lies behind is
 * read again with the next page.
 */
export function mergeLanes(
  pages: Partial<Record<Lane, EventPage>>,
  direction: "older" | "newer",
  limit: number,
): MergedPage {
  const [onward, back] =
    direction === "older" ? (["next", "previous"] as const) : (["previous", "next"] as const);
  const sign = direction === "older" ? -1 : 1;
  const byId = new Map<string, MergedPage["rows"][number]>();
  let edge: Position | null = null;
  let searchedTo: string | null = null;
  for (const [lane, page] of Object.entries(pages) as [Lane, EventPage][]) {
    for (const row of page.rows) {
      const known = byId.get(row.id);
      if (known) known.lanes.push(lane);
      else byId.set(row.id, { ...row, lanes: [lane] });
    }
    const cursor = page[onward];
    const end = cursor ? decodeCursor(cursor) : null;
    if (end && (!edge || sign * compare(end, edge) < 0)) {
      edge = end;
      searchedTo = page.searchedTo;
    }
  }
  const walked = [...byId.values()].sort((a, b) => sign * compare(positionOf(a), positionOf(b)));
  const whole = walked.filter((row) => !edge || sign * compare(positionOf(row), edge) <= 0);
  const rows = whole.slice(0, limit);
  const last = rows.at(-1);
  if (last && rows.length < whole.length) {
    edge = positionOf(last);
    searchedTo = null;
  }
  const first = rows[0];
  const start = Object.values(pages)[0]?.[back] ?? null;
  const backward = start && first ? encodeCursor(positionOf(first)) : start;
  const forward = edge && encodeCursor(edge);
  if (direction === "newer") rows.reverse();
  return {
    rows,
    next: direction === "older" ? forward : backward,
    previous: direction === "older" ? backward : forward,
    searchedTo,
  };
}
