import type { EventRow } from "./schema";
import type { Lane } from "./subject";

/** The shape of a timeline: sessions and runs of rows, newest first, as pages of it arrive. */

/** Something an actor did for the first time. */
export interface FirstTime {
  what: "seen" | "ip" | "action";
  /** Looked back over this many events before it; null: over everything kept. */
  within: number | null;
}

export interface TimelineRow extends EventRow {
  agent: string | null;
  /** Both when the subject acted upon itself. */
  lanes: Lane[];
  firstTimes: FirstTime[];
}

export interface TimelinePage {
  rows: TimelineRow[];
  /** Cursor for older rows, when there are or may be some. */
  next: string | null;
  /** Cursor for newer rows. */
  previous: string | null;
  /** ISO time that the search stopped at before the end of the range. */
  searchedTo: string | null;
  /** Questions about first times that would have taken too long. */
  undecided: number;
}

export interface SubjectSummary {
  /** As the newest event names it. */
  name: string | null;
  /** ISO; null when no event kept has the subject. */
  firstSeen: string | null;
  lastSeen: string | null;
}

export interface DayCounts {
  /** One per day, as many as `starts` has days. */
  did: number[];
  done: number[];
  /** ISO time of the oldest event counted, when a lane has more than `limit`; else null. */
  countedFrom: string | null;
  limit: number;
}

export type Counted = [value: string, events: number];

/** What is usual for a subject, over its newest events. */
export interface Usual {
  /** Events looked at, and whether these are all. */
  events: number;
  isAll: boolean;
  actions: Counted[];
  addresses: Counted[];
  agents: Counted[];
  /** Of a target alone. */
  actors: Counted[];
  /** Events by quarter of an hour since the epoch, so that every zone can make hours of them. */
  quarters: [quarter: number, events: number][];
}

export const SESSION_GAP_MS = 30 * 60_000;

/** Consecutive rows of one actor from one address and device. */
export type Session = [TimelineRow, ...TimelineRow[]];

/**
 * Sessions with older rows added; a session may go on in them. Row by row or all at once, the result is
 * the same.
 * @param dayOf a session ends with its day, so that days can be counted
 */
export function extendSessions(
  sessions: readonly Session[],
  older: readonly TimelineRow[],
  dayOf: (iso: string) => string,
): Session[] {
  const extended = [...sessions];
  for (const row of older) {
    const current = extended.at(-1);
    const last = current?.at(-1);
    const isSame = last && areClose(last, row) && dayOf(last.occurredAt) === dayOf(row.occurredAt);
    if (current && isSame) extended[extended.length - 1] = [...current, row];
    else extended.push([row]);
  }
  return extended;
}

function areClose(newer: TimelineRow, older: TimelineRow): boolean {
  return (
    Date.parse(newer.occurredAt) - Date.parse(older.occurredAt) <= SESSION_GAP_MS &&
    newer.location === older.location &&
    newer.agent === older.agent &&
    newer.actor.id === older.actor.id &&
    newer.actor.type === older.actor.type
  );
}

/** Consecutive rows that say the same. */
export function runsOf(rows: readonly TimelineRow[]): Session[] {
  const runs: Session[] = [];
  for (const row of rows) {
    const current = runs.at(-1);
    if (current && wordsOf(current[0]) === wordsOf(row)) current.push(row);
    else runs.push([row]);
  }
  return runs;
}

function wordsOf({ action, actor, targets }: TimelineRow): string {
  const participants = [actor, ...targets].map(({ type, id }) => [type, id]);
  return JSON.stringify([action, participants]);
}

/** One line of a day: a session's head, or a run of equal rows. */
export interface Line {
  kind: "session" | "run";
  lane: Lane;
  rows: Session;
  /** Row of a grid with a column per lane, from 1: lines side by side are next to each other in time. */
  gridRow: number;
}

/**
 * A day's rows as lines, newest first: the main lane in sessions, the other one beside it.
 * @param isExpanded whether a run shows its rows one by one, by the id of its newest
 */
export function linesOf(
  rows: readonly TimelineRow[],
  main: Lane,
  isExpanded: (id: string) => boolean,
): Line[] {
  const runLines = (lane: Lane, of: readonly TimelineRow[]) =>
    runsOf(of).flatMap((run) => {
      const parts = isExpanded(run[0].id) ? run.map((row): Session => [row]) : [run];
      return parts.map((part) => ({ kind: "run" as const, lane, rows: part }));
    });
  const mine = extendSessions(
    [],
    rows.filter(({ lanes }) => lanes.includes(main)),
    () => "",
  );
  const mainLines = mine.flatMap((session) => [
    { kind: "session" as const, lane: main, rows: session },
    ...runLines(main, session),
  ]);
  const other = rows.filter(({ lanes }) => !lanes.includes(main));
  const sideLines = runLines(main === "did" ? "done" : "did", other);
  const lines: Line[] = [];
  let [mainRow, sideRow] = [0, 0];
  while (mainLines.length + sideLines.length > 0) {
    const isMain =
      !sideLines[0] || (mainLines[0] && isNewer(mainLines[0].rows[0], sideLines[0].rows[0]));
    const line = (isMain ? mainLines : sideLines).shift();
    if (!line) break;
    if (isMain) mainRow = Math.max(mainRow + 1, sideRow);
    else sideRow = Math.max(sideRow + 1, mainRow);
    lines.push({ ...line, gridRow: isMain ? mainRow : sideRow });
  }
  return lines;
}

export function isNewer(left: EventRow, right: EventRow): boolean {
  return left.occurredAt === right.occurredAt
    ? left.seq > right.seq
    : left.occurredAt > right.occurredAt;
}

export interface Day {
  day: string;
  rows: TimelineRow[];
  /** Whether rows of it may be missing. */
  isPartial: boolean;
}

/** @param ends whether the rows' newest and oldest sides are the ends of what there is */
export function daysOf(
  rows: readonly TimelineRow[],
  dayOf: (iso: string) => string,
  ends: { newest: boolean; oldest: boolean },
): Day[] {
  const days: Day[] = [];
  for (const row of rows) {
    const day = dayOf(row.occurredAt);
    const current = days.at(-1);
    if (current?.day === day) current.rows.push(row);
    else days.push({ day, rows: [row], isPartial: false });
  }
  const [first, last] = [days.at(0), days.at(-1)];
  if (first && !ends.newest) first.isPartial = true;
  if (last && !ends.oldest) last.isPartial = true;
  return days;
}
