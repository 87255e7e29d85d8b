"use client";

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type EventSearch, toSearchParams } from "@/lib/events/filter/url";
import { TAIL_BUFFER, type TailRow, type TailStep, whyNoTail } from "@/lib/events/tail";
import type { TailLink } from "./tail-connection";

export type TailState =
  | { kind: "off" | TailLink }
  | { kind: "paused"; reason: string }
  | { kind: "ended"; reason: string };

export interface LiveTail {
  state: TailState;
  /** Why there is none for this search. */
  whyNot: string | null;
  toggle(): void;
  /** What came in since, newest first, to stand above the list. */
  rows: TailRow[];
  /** How many came in while it was paused. */
  waiting: number;
  /** Moves those that wait to `rows`. */
  take(): void;
  /** Matching events that are missing between list and tail; null count: not known how many. */
  skipped: { count: number | null } | null;
  /** How many have come in since it was switched on. */
  total: number;
  /** Says why new rows have to wait, or that they need not. */
  setPause(reason: string | null): void;
}

/** As many rows above the list as the list itself keeps. */
const MAX_ROWS = 2_000;

interface Arrived {
  /** Which list it belongs to. */
  list: string;
  /** The number up to which the log was read. */
  seq: number;
  rows: TailRow[];
  waiting: TailRow[];
  skipped: LiveTail["skipped"];
  total: number;
}

function nothing(list: string, seq: number): Arrived {
  return { list, seq, rows: [], waiting: [], skipped: null, total: 0 };
}

function skip(before: Arrived["skipped"], count: number | null): Arrived["skipped"] {
  return { count: count === null || before?.count === null ? null : (before?.count ?? 0) + count };
}

function show(now: Arrived): Arrived {
  if (now.waiting.length === 0) return now;
  const rows = [...now.waiting, ...now.rows];
  const over = rows.length - MAX_ROWS;
  return {
    ...now,
    rows: rows.slice(0, MAX_ROWS),
    waiting: [],
    skipped: over > 0 ? skip(now.skipped, over) : now.skipped,
  };
}

function receive(now: Arrived, step: TailStep, isPaused: boolean): Arrived {
  const skipped = step.skipped ? skip(now.skipped, step.skipped.count) : now.skipped;
  const total = now.total + step.rows.length;
  const waiting = [...step.rows.toReversed(), ...now.waiting];
  const next = { ...now, seq: step.seq, skipped, total, waiting };
  if (!isPaused) return show(next);
  if (next.waiting.length <= TAIL_BUFFER) return next;
  return { ...next, waiting: [], skipped: skip(skipped, next.waiting.length) };
}

/** Another search of the same organization stays live. */
let liveOrganization: string | null = null;

interface Options {
  organizationId: string;
  /** null: nothing is searched. */
  search: EventSearch | null;
  /** The newest number when the list was read; null when the list does not begin with the newest events. */
  headSeq: number | null;
}

/** What arrives after the list was read, over the list's own search. */
export function useLiveTail({ organizationId, search, headSeq }: Options): LiveTail {
  const [isOn, setOn] = useState(() => liveOrganization === organizationId);
  const [link, setLink] = useState<TailLink>("connecting");
  const [ended, setEnded] = useState<string | null>(null);
  const [pause, setPauseState] = useState<string | null>(null);
  const isPaused = useRef(false);

  const whyNot = whyNoTailHere(search, headSeq);
  const params = search && toSearchParams({ ...search, event: null, after: null, before: null });
  const address = `/o/${organizationId}/events/tail?${params ?? ""}`;
  const list = `${headSeq} ${address}`;
  const [held, setArrived] = useState(() => nothing(list, headSeq ?? -1));
  const arrived = held.list === list ? held : nothing(list, headSeq ?? -1);
  const current = useRef(arrived);
  current.current = arrived;

  const isRunning = isOn && whyNot === null && ended === null;
  useEffect(() => {
    if (!isRunning) return;
    const change = (next: (now: Arrived) => Arrived) =>
      setArrived((now) => next(now.list === list ? now : current.current));
    let isOver = false;
    let close = () => {};
    import("./tail-connection").then(
      ({ openTail }) => {
        if (isOver) return;
        close = openTail(address, current.current.seq, {
          onStep: (step) => change((now) => receive(now, step, isPaused.current)),
          onLink: setLink,
          onEnd: setEnded,
        });
      },
      () => setEnded("The server did not answer."),
    );
    return () => {
      isOver = true;
      close();
    };
  }, [isRunning, address, list]);

  const take = useCallback(() => setArrived(show), []);
  const setPause = useCallback((reason: string | null) => {
    isPaused.current = reason !== null;
    setPauseState(reason);
    if (reason === null) setArrived(show);
  }, []);
  const toggle = useCallback(() => {
    liveOrganization = isRunning ? null : organizationId;
    setOn(!isRunning);
    setEnded(null);
    setLink("connecting");
  }, [isRunning, organizationId]);

  const state: TailState = useMemo(() => {
    if (isOn && ended !== null) return { kind: "ended", reason: ended };
    if (!isRunning) return { kind: "off" };
    if (pause !== null && link !== "connecting") return { kind: "paused", reason: pause };
    return { kind: link };
  }, [isOn, ended, isRunning, pause, link]);

  const { rows, waiting, skipped, total } = arrived;
  return {
    state,
    whyNot,
    toggle,
    rows,
    waiting: waiting.length,
    take,
    skipped,
    total,
    setPause,
  };
}

function whyNoTailHere(search: EventSearch | null, headSeq: number | null): string | null {
  if (!search) return "Live needs a search that runs.";
  const reason = whyNoTail(search);
  if (reason !== null) return reason;
  return headSeq === null ? "Live needs the newest events; this page starts further down." : null;
}
