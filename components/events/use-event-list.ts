"use client";

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { EventRow } from "@/lib/events/schema";
import type { ActionResult } from "@/lib/http/action-result";

/** Newest first. */
export interface Page {
  rows: EventRow[];
  /** Cursor for older events, when there are or may be some. */
  next: string | null;
  /** Cursor for newer ones. */
  previous: string | null;
  /** Set when the search stopped before the end of the range: ISO time up to which it is complete. */
  searchedTo: string | null;
}

export type PagePosition = { after: string } | { before: string };

export interface Failure {
  message: string;
  requestId: string;
}

/** A page in the list; far from what is on screen its rows are let go and asked for again. */
interface Held {
  rows: EventRow[] | null;
  count: number;
  /** The last row's place: where the page below begins. */
  last: { occurredAt: string; seq: number } | null;
  next: string | null;
  searchedTo: string | null;
}

interface Pages {
  /** The page that they were loaded around. */
  first: Page;
  held: Held[];
  /** Cursor for what is newer than the first row. */
  previous: string | null;
  /** Rows put in above since the list was painted first: the view moves down by as many. */
  above: number;
}

/** How far a list was read and scrolled, for coming back to it. */
export interface Visit {
  pages: Pages;
  scrollTop: number;
}

const KEPT_PAGES = 20;
/** A search that stopped with fewer rows than this goes on by itself, so often. */
const SCREENFUL = 50;
const UNASKED_CONTINUATIONS = 5;

function hold({ rows, next, searchedTo }: Omit<Page, "previous">): Held {
  const last = rows.at(-1);
  return {
    rows,
    count: rows.length,
    last: last ? { occurredAt: last.occurredAt, seq: last.seq } : null,
    next,
    searchedTo,
  };
}

/**
 * Going back shows the very page object that was painted before, so what was loaded around it and the place
 * in it are still true. A fresh answer is another object and starts at its top.
 */
const visits = new WeakMap<Page, Visit>();

export function visitOf(first: Page): Visit {
  const known = visits.get(first) ?? {
    pages: { first, held: [hold(first)], previous: first.previous, above: 0 },
    scrollTop: 0,
  };
  visits.set(first, known);
  return known;
}

/**
 * A page that was let go and asked for again, up to where it ended. What arrived late in between may have
 * pushed its end off the answer: then the rest stays to be asked for.
 */
function again(page: Held, answer: Page): Held[] {
  const { last } = page;
  if (!last) return [page];
  const rows = answer.rows.filter(
    ({ occurredAt, seq }) =>
      occurredAt > last.occurredAt || (occurredAt === last.occurredAt && seq >= last.seq),
  );
  const isWhole = !answer.next || rows.length < answer.rows.length || rows.at(-1)?.seq === last.seq;
  const { next, searchedTo } = page;
  if (isWhole) return [{ ...hold({ rows, next, searchedTo }), last }];
  const part = hold({ rows, next: answer.next, searchedTo: null });
  return [part, { ...page, rows: null, count: Math.max(1, page.count - rows.length) }];
}

type Load = (from: PagePosition) => Promise<ActionResult<Page>>;

/** The events of one search around its first page, endless in both directions. */
export function useEventList(first: Page, load: Load) {
  const [pages, setPages] = useState<Pages>(() => visitOf(first).pages);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [loading, setLoading] = useState<"older" | "newer" | "again" | null>(null);
  const busy = useRef(false);
  const continued = useRef(0);
  const current = useRef(pages);
  current.current = pages;

  // The first page may be painted anew (a refresh): everything around it is asked for again.
  useEffect(() => setPages(visitOf(first).pages), [first]);
  useEffect(() => {
    if (pages.first === first) visitOf(first).pages = pages;
  }, [first, pages]);

  /** One request at a time; an answer that came too late for pages painted anew is let go. */
  const ask = useCallback(
    async (
      kind: "older" | "newer" | "again",
      from: PagePosition,
      place: (pages: Pages, page: Page) => Pages,
    ) => {
      if (busy.current) return null;
      busy.current = true;
      setLoading(kind);
      const asked = current.current.first;
      try {
        const result = await load(from);
        setFailure(result.ok ? null : { message: result.message, requestId: result.requestId });
        if (!result.ok) return null;
        setPages((now) => (now.first === asked ? place(now, result.data) : now));
        return result.data;
      } catch {
        setFailure({ message: "The server did not answer.", requestId: "" });
        return null;
      } finally {
        busy.current = false;
        setLoading(null);
      }
    },
    [load],
  );

  const last = pages.held.at(-1);
  const next = last?.next ?? null;
  const { previous } = pages;

  const loadOlder = useCallback(async () => {
    if (next)
      await ask("older", { after: next }, (now, page) => ({
        ...now,
        held: [...now.held, hold(page)],
      }));
  }, [ask, next]);

  const loadNewer = useCallback(async () => {
    if (previous)
      await ask("newer", { before: previous }, (now, page) => ({
        ...now,
        held: page.rows.length > 0 ? [hold({ ...page, searchedTo: null }), ...now.held] : now.held,
        previous: page.rows.length > 0 || page.searchedTo ? page.previous : null,
        above: now.above + page.rows.length,
      }));
  }, [ask, previous]);

  /** Lets go of pages far from the rows on screen, and brings back those that are on it. */
  const keep = useCallback(
    (firstIndex: number, lastIndex: number) => {
      const { held } = current.current;
      if (held.length <= KEPT_PAGES && held.every(({ rows }) => rows)) return;
      let start = 0;
      const shown = held.flatMap((page, index) => {
        const isShown = start <= lastIndex && start + page.count > firstIndex;
        start += page.count;
        return isShown ? [index] : [];
      });
      const [from = 0, to = from] = [shown[0], shown.at(-1)];
      const missing = shown.find((index) => !held[index]?.rows);
      if (missing !== undefined) {
        const [above, page] = [held[missing - 1], held[missing]];
        if (above?.next && page)
          void ask("again", { after: above.next }, (now, answer) => {
            const at = now.held.indexOf(page);
            return at < 0
              ? now
              : { ...now, held: now.held.toSpliced(at, 1, ...again(page, answer)) };
          });
        return;
      }
      const far = (index: number) => index < from - KEPT_PAGES / 2 || index > to + KEPT_PAGES / 2;
      if (held.some((page, index) => index > 0 && page.rows && far(index)))
        setPages((now) => ({
          ...now,
          held: now.held.map((page, index) =>
            index > 0 && page.rows && far(index) ? { ...page, rows: null } : page,
          ),
        }));
    },
    [ask],
  );

  const rows = useMemo(
    () =>
      pages.held.flatMap((page): (EventRow | null)[] => page.rows ?? Array(page.count).fill(null)),
    [pages],
  );

  const isStopped = last?.searchedTo != null && next !== null;
  // A search that found little goes on for a while by itself.
  useEffect(() => {
    if (!isStopped || failure || loading || rows.length >= SCREENFUL) return;
    if (continued.current >= UNASKED_CONTINUATIONS) return;
    continued.current += 1;
    void loadOlder();
  }, [isStopped, failure, loading, rows.length, loadOlder]);

  return {
    rows,
    next,
    previous,
    searchedTo: last?.searchedTo ?? null,
    above: pages.above,
    failure,
    loading,
    loadOlder,
    loadNewer,
    keep,
    /** Whether scrolling near the end loads on by itself: not after a failure or a stop. */
    mayPrefetch: next !== null && !isStopped && !failure,
  };
}
