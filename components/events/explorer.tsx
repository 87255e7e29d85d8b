"use client";

import { Download } from "lucide-react";
import { useRouter, useSearchParams } from "next/navigation";
import { useCallback, useEffect, useMemo, useRef, useState, useTransition } from "react";
import { Button, buttonClasses } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { Diagnostic, EventFilter, FieldRef } from "@/lib/events/filter/ast";
import { excludeValue, includeValue, removeClause } from "@/lib/events/filter/edit";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { type EventSearch, toSearchParams, withFilter, withTime } from "@/lib/events/filter/url";
import type { EventDetail, EventRow } from "@/lib/events/schema";
import type { ActionResult } from "@/lib/http/action-result";
import { describeClause } from "./describe-clause";
import { type DetailState, EventDrawer } from "./event-drawer";
import { EventTable } from "./event-table";
import { FilterBar } from "./filter-bar";
import { isTyping } from "./keys";
import { TimeControl } from "./time-control";
import { clockOf, useZone, zoneName } from "./zone";

export interface Page {
  rows: EventRow[];
  next: string | null;
  searchedTo: string | null;
}

export type ListState =
  | { kind: "ready"; search: EventSearch; page: Page }
  /** The URL's text cannot be understood: nothing was searched. */
  | { kind: "not_run"; q: string; diagnostics: Diagnostic[]; problems: string[] }
  | { kind: "failed"; search: EventSearch; message: string; requestId: string };

export interface ExplorerActions {
  list(organizationId: string, query: string, after: string): Promise<ActionResult<Page>>;
  read(organizationId: string, id: string): Promise<ActionResult<EventDetail | null>>;
}

interface Props {
  organizationId: string;
  state: ListState;
  detail: EventDetail | null;
  verifiedTo: number | null;
  actions: ExplorerActions;
}

/** Filter bar, table and drawer over one search, whose whole state is in the URL. */
export function Explorer(props: Props) {
  const { organizationId, state } = props;
  const router = useRouter();
  const [isNavigating, startNavigation] = useTransition();
  const search = state.kind === "not_run" ? null : state.search;

  const go = (params: URLSearchParams) =>
    startNavigation(() =>
      router.push(`/o/${organizationId}/events${params.size > 0 ? `?${params}` : ""}`),
    );

  const applyFilter = (filter: EventFilter) => search && go(withFilter(search, filter));
  const applyText = (q: string) => {
    const params = search
      ? toSearchParams({ ...search, q, event: null, after: null, before: null })
      : new URLSearchParams(q ? { q } : {});
    go(params);
  };

  const csvParams = search
    ? toSearchParams({ ...search, event: null, after: null, before: null })
    : null;
  return (
    <>
      <div className="flex min-h-11 shrink-0 flex-wrap items-start gap-2 border-b border-(--border) px-3 py-2">
        <FilterBar
          filter={search?.filter ?? null}
          q={state.kind === "not_run" ? state.q : state.search.q}
          diagnostics={state.kind === "not_run" ? state.diagnostics : []}
          onChange={applyText}
        />
        {search && (
          <TimeControl time={search.time} onChange={(time) => go(withTime(search, time))} />
        )}
        {csvParams && (
          <a
            href={`/o/${organizationId}/events/csv${csvParams.size > 0 ? `?${csvParams}` : ""}`}
            download
            className={buttonClasses({})}
            title="Every event that matches, as CSV"
          >
            <Download size={14} aria-hidden="true" /> CSV
          </a>
        )}
      </div>
      {state.kind === "ready" && (
        <Results
          // Another search starts its own list; opening an event does not.
          key={toSearchParams({ ...state.search, event: null }).toString()}
          {...props}
          search={state.search}
          first={state.page}
          isNavigating={isNavigating}
          onFilter={applyFilter}
        />
      )}
      {state.kind === "failed" && (
        <ErrorPanel
          title="Could not load events."
          requestId={state.requestId}
          action={
            <Button
              variant="primary"
              onClick={() => startNavigation(() => router.refresh())}
              disabled={isNavigating}
            >
              Retry
            </Button>
          }
        >
          {state.message}
        </ErrorPanel>
      )}
      {state.kind === "not_run" && (
        <ErrorPanel
          title="Query not run"
          action={<Button onClick={() => go(new URLSearchParams())}>Start over</Button>}
        >
          {state.problems
            .map((problem) => problem.replace(/^Query not run: /, "").replaceAll("`", ""))
            .join(" ")}{" "}
          No events are shown, since none were searched.
        </ErrorPanel>
      )}
    </>
  );
}

interface ResultsProps extends Props {
  search: EventSearch;
  first: Page;
  isNavigating: boolean;
  onFilter(filter: EventFilter): void;
}

function Results(props: ResultsProps) {
  const { organizationId, search, first, actions } = props;
  const params = useSearchParams();
  const openId = params.get("event");
  const [pages, setPages] = useState<Page[]>([first]);
  const [failure, setFailure] = useState<{ message: string; requestId: string } | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [activeId, setActiveId] = useState<string | null>(openId);
  const loadingRef = useRef(false);

  // The first page may be painted anew (a refresh): everything below it is asked for again.
  useEffect(() => setPages([first]), [first]);

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
      if (result.ok) setPages((current) => [...current, result.data]);
    } catch {
      setFailure({ message: "The server did not answer.", requestId: "" });
    } finally {
      loadingRef.current = false;
      setLoading(false);
    }
  }, [actions, next, organizationId, query]);

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
            rows={rows}
            verifiedTo={props.verifiedTo}
            selectedId={openId ?? activeId}
            isDrawerOpen={openId !== null}
            isLoading={isLoading || props.isNavigating}
            onOpen={(event) => open(event.id, openId !== null)}
            onActive={(event) => (openId ? open(event.id, true) : setActiveId(event.id))}
            onNearEnd={onNearEnd}
            end={
              <End
                page={last}
                failure={failure}
                isLoading={isLoading}
                count={rows.length}
                onContinue={loadMore}
              />
            }
          />
        )}
        <p
          className="flex h-8 shrink-0 items-center gap-4 border-t border-(--border) px-4 text-[12px] text-(--text-2)"
          role="status"
        >
          <span data-testid="row-count">
            {rows.length.toLocaleString("en-US")}
            {next ? "+" : ""} {rows.length === 1 && !next ? "event" : "events"}
          </span>
          {props.verifiedTo !== null && (
            <span className="text-(--in-verified)">
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

interface EndProps {
  page: Page | undefined;
  failure: { message: string; requestId: string } | null;
  isLoading: boolean;
  count: number;
  onContinue(): void;
}

/** What the list says below its last row: more to come, how far it searched, or that this is all. */
function End(props: EndProps) {
  const zone = useZone();
  const { page, failure } = props;
  if (failure) {
    return (
      <span role="alert" className="flex flex-wrap items-center gap-2 text-(--in-fetch)">
        Could not load the next events. {failure.message}{" "}
        {failure.requestId && `Request ${failure.requestId}.`}
        <Button onClick={props.onContinue}>Retry</Button>
      </span>
    );
  }
  if (page?.searchedTo) {
    const { day, time } = clockOf(page.searchedTo, zone);
    return (
      <span className="flex flex-wrap items-center gap-2">
        {props.count === 0 ? "No match so far. " : ""}Searched back to {day} {time} {zoneName(zone)}
        .
        {page.next && (
          <Button onClick={props.onContinue} disabled={props.isLoading}>
            Continue
          </Button>
        )}
      </span>
    );
  }
  if (page?.next) return <span>Loading…</span>;
  return <span>Start of the log: there is nothing older that matches.</span>;
}

/** An empty result that says what to let go of. */
function NoMatch(props: { search: EventSearch; onFilter(filter: EventFilter): void }) {
  const { filter, time } = props.search;
  return (
    <div className="grid flex-1 content-start justify-items-center gap-3 px-4 py-16 text-center">
      <p className="text-[14px] font-semibold">No events match</p>
      <p className="max-w-[60ch] text-(--text-2)">
        The whole log was searched{time.kind === "all" ? "" : " within the chosen time"}.{" "}
        {filter.clauses.length > 0 && "Remove a part of the filter to see more:"}
      </p>
      <ul className="flex flex-wrap justify-center gap-2">
        {filter.clauses.map((clause, index) => {
          const { field, operator, value } = describeClause(clause);
          return (
            <li key={serializeFilter({ clauses: [clause] })}>
              <Button onClick={() => props.onFilter(removeClause(filter, index))}>
                <span className="font-mono text-[12px]">
                  {`${field} ${operator} ${value}`.trim()}
                </span>{" "}
                ×
              </Button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
