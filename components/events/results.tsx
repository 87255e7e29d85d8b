"use client";

import { useSearchParams } from "next/navigation";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { EventFilter, FieldRef } from "@/lib/events/filter/ast";
import { excludeValue, includeValue } from "@/lib/events/filter/edit";
import { type EventSearch, toSearchParams } from "@/lib/events/filter/url";
import type { EventDetail } from "@/lib/events/schema";
import { type DetailState, EventDrawer } from "./event-drawer";
import { EventTable } from "./event-table";
import { countWords, type ExplorerActions, type Page } from "./explorer";
import { isTyping } from "./keys";
import { ListEnd, NoMatch } from "./list-states";
import { TrailDot } from "./trail-mark";

interface ResultsProps {
  organizationId: string;
  detail: EventDetail | null;
  verifiedTo: number | null;
  actions: ExplorerActions;
  search: EventSearch;
  first: Page;
  isNavigating: boolean;
  onFilter(filter: EventFilter): void;
}

/** How far a list was read and scrolled, for coming back to it. */
interface Visit {
  pages: Page[];
  scrollTop: number;
}

/**
 * Going back shows the very page object that was painted before, so what was loaded below it and the place
 * in it are still true. A fresh answer is another object and starts at its top.
 */
const visits = new WeakMap<Page, Visit>();

function visitOf(first: Page): Visit {
  const known = visits.get(first) ?? { pages: [first], scrollTop: 0 };
  visits.set(first, known);
  return known;
}

/** The list of one search, endless, and the drawer beside it. */
export function Results(props: ResultsProps) {
  const { organizationId, search, first, actions } = props;
  const params = useSearchParams();
  const openId = params.get("event");
  const visit = visitOf(first);
  const [pages, setPages] = useState<Page[]>(visit.pages);
  const [failure, setFailure] = useState<{ message: string; requestId: string } | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [activeId, setActiveId] = useState<string | null>(openId);
  const loadingRef = useRef(false);
  const grid = useRef<HTMLDivElement>(null);

  // The first page may be painted anew (a refresh): everything below it is asked for again.
  useEffect(() => setPages(visitOf(first).pages), [first]);
  useEffect(() => {
    if (pages[0] === first) visitOf(first).pages = pages;
  }, [first, pages]);

  const rows = useMemo(() => pages.flatMap((page) => page.rows), [pages]);
  const last = pages.at(-1);
  const next = last?.next ?? null;
  const query = toSearchParams({ ...search, event: null, after: null, before: null }).toString();

  const loadMore = useCallback(async () => {
    if (!next || loadingRef.current) return;
    loadingRef.current = true;
    setLoading(true);
    try {
      const result = await actions.list(organizationId, query, next);
      setFailure(result.ok ? null : { message: result.message, requestId: result.requestId });
      // A list painted anew meanwhile asks for its own.
      if (result.ok)
        setPages((current) => (current.at(-1) === last ? [...current, result.data] : current));
    } catch {
      setFailure({ message: "The server did not answer.", requestId: "" });
    } finally {
      loadingRef.current = false;
      setLoading(false);
    }
  }, [actions, last, next, organizationId, query]);

  // A search that stopped before the end waits to be told to go on.
  const mayPrefetch = next !== null && !last?.searchedTo && !failure;
  const onNearEnd = useCallback(() => {
    if (mayPrefetch) void loadMore();
  }, [mayPrefetch, loadMore]);

  const open = (id: string | null, replace = false) => {
    const url = new URLSearchParams(params);
    if (id) url.set("event", id);
    else url.delete("event");
    const href = `${location.pathname}${url.size > 0 ? `?${url}` : ""}`;
    if (replace) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    if (id) setActiveId(id);
    // The drawer takes the focus with it when it goes.
    else grid.current?.focus({ preventScroll: true });
  };

  const close = useRef(() => {});
  close.current = () => open(null);
  // Escape closes the drawer from wherever the focus is.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key === "Escape" &&
        !isTyping(event) &&
        new URLSearchParams(location.search).has("event")
      )
        close.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const { state: detail, retry } = useDetail(props, openId);
  const position = rows.findIndex((row) => row.id === openId);
  const step = (by: 1 | -1) => {
    const row = rows[position + by];
    if (row) open(row.id, true);
    if (position + by >= rows.length - 1) void loadMore();
  };

  const pivot = (field: FieldRef, value: string, include: boolean) =>
    props.onFilter((include ? includeValue : excludeValue)(search.filter, field, value));

  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        {rows.length === 0 && !next ? (
          <NoMatch search={search} onFilter={props.onFilter} />
        ) : (
          <EventTable
            gridRef={grid}
            visit={visit}
            rows={rows}
            verifiedTo={props.verifiedTo}
            selectedId={openId ?? activeId}
            isDrawerOpen={openId !== null}
            isLoading={isLoading || props.isNavigating}
            onOpen={(event) => open(event.id, openId !== null)}
            onActive={(event) => (openId ? open(event.id, true) : setActiveId(event.id))}
            onNearEnd={onNearEnd}
            end={
              <ListEnd
                page={last}
                failure={failure}
                isLoading={isLoading}
                count={rows.length}
                isWhole={search.filter.clauses.length === 0 && search.time.kind === "all"}
                onContinue={loadMore}
              />
            }
          />
        )}
        <p
          className="flex h-8 shrink-0 items-center gap-4 border-t border-(--border) px-4 text-[12px] text-(--text-2)"
          role="status"
        >
          <span data-testid="row-count">{countWords(last ?? first, rows.length)}</span>
          {props.verifiedTo !== null && (
            <span className="flex items-center gap-1.5 text-(--in-verified)">
              <TrailDot isVerified />
              Verified to #{props.verifiedTo.toLocaleString("en-US")}
            </span>
          )}
        </p>
      </div>
      {openId && (
        <EventDrawer
          state={detail}
          position={position < 0 ? "" : `${position + 1} of ${rows.length}${next ? "+" : ""}`}
          verifiedTo={props.verifiedTo}
          onPivot={pivot}
          onStep={step}
          onRetry={retry}
          onClose={() => open(null)}
        />
      )}
    </div>
  );
}

/** The open event, asked for by id whenever the id changes. */
function useDetail(props: ResultsProps, id: string | null): { state: DetailState; retry(): void } {
  const { organizationId, actions } = props;
  const initial = props.detail;
  const [state, setState] = useState<DetailState>(
    initial ? { kind: "ready", event: initial } : { kind: "loading" },
  );
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt asks again.
  useEffect(() => {
    if (!id) return;
    if (initial?.id === id) {
      setState({ kind: "ready", event: initial });
      return;
    }
    let left = false;
    // An answer within a blink needs no skeleton.
    const timer = setTimeout(() => setState({ kind: "loading" }), 150);
    const show = (next: DetailState) => {
      clearTimeout(timer);
      if (!left) setState(next);
    };
    actions.read(organizationId, id).then(
      (result) => {
        if (!result.ok)
          show({ kind: "error", message: result.message, requestId: result.requestId });
        else show(result.data ? { kind: "ready", event: result.data } : { kind: "missing" });
      },
      () => show({ kind: "error", message: "The server did not answer.", requestId: "" }),
    );
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [id, initial, actions, organizationId, attempt]);

  return { state, retry: () => setAttempt((count) => count + 1) };
}
