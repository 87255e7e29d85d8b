"use client";

import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useTransition } from "react";
import { Button } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { Diagnostic } from "@/lib/events/filter/ast";
import { type EventSearch, toSearchParams, withFilter } from "@/lib/events/filter/url";
import type { EventDetail } from "@/lib/events/schema";
import type { ActionResult } from "@/lib/http/action-result";
import { DownloadMenu } from "./download-menu";
import { FilterBar } from "./filter-bar";
import { LiveToggle } from "./live-toggle";
import { MobileFilters } from "./mobile-filters";
import { eventsHref, useOpenView } from "./open-view";
import { Results } from "./results";
import { TimeControl } from "./time-control";
import type { ReadColumns } from "./use-column-values";
import type { Page, PagePosition } from "./use-event-list";
import { useLiveTail } from "./use-live-tail";

// What counts the events comes after the events themselves.
const FacetRail = dynamic(() => import("./facet-rail").then((module) => module.FacetRail), {
  ssr: false,
  loading: () => (
    <div className="w-[232px] shrink-0 border-r border-(--border) bg-(--bg) max-lg:hidden" />
  ),
});
const FacetSections = dynamic(
  () => import("./facet-sections").then((module) => module.FacetSections),
  { ssr: false },
);
const Histogram = dynamic(() => import("./histogram").then((module) => module.Histogram), {
  ssr: false,
  loading: () => <div className="h-[126px] shrink-0 border-b border-(--border) max-sm:hidden" />,
});

export type ListState =
  /** `headSeq`: the newest number when the page was read; null for a page that starts further down. */
  | { kind: "ready"; search: EventSearch; page: Page; headSeq: number | null }
  /**
   * The URL cannot be understood: nothing was searched. `rest` is the search without its text, null when
   * that is what cannot be understood.
   */
  | {
      kind: "not_run";
      q: string;
      rest: EventSearch | null;
      diagnostics: Diagnostic[];
      problems: string[];
    }
  | { kind: "failed"; search: EventSearch; message: string; requestId: string };

export interface ExplorerActions {
  list(organizationId: string, query: string, from: PagePosition): Promise<ActionResult<Page>>;
  read(organizationId: string, id: string): Promise<ActionResult<EventDetail | null>>;
  readColumns(organizationId: string, ...args: Parameters<ReadColumns>): ReturnType<ReadColumns>;
  copy(
    organizationId: string,
    ids: string[],
    format: "csv" | "json",
  ): Promise<ActionResult<string>>;
}

interface Props {
  organizationId: string;
  state: ListState;
  detail: EventDetail | null;
  verifiedTo: number | null;
  showsDeliveries: boolean;
  canExport: boolean;
  actions: ExplorerActions;
}

/** Filter bar, table and drawer over one search, whose whole state is in the URL. */
export function Explorer(props: Props) {
  const { organizationId, state } = props;
  const router = useRouter();
  const { viewId } = useOpenView();
  const [isNavigating, startNavigation] = useTransition();
  const isRun = state.kind !== "not_run";
  const q = isRun ? state.search.q : state.q;
  const filter = isRun ? state.search.filter : null;
  /** Whatever the filter's text says, the rest of the search stays. */
  const search = isRun ? state.search : state.rest;

  const isReady = state.kind === "ready";
  const tail = useLiveTail({
    organizationId,
    search: isReady ? state.search : null,
    headSeq: isReady ? state.headSeq : null,
  });

  const go = (params: URLSearchParams) =>
    startNavigation(() => router.push(eventsHref(organizationId, params, viewId)));

  const change = (part: Partial<Pick<EventSearch, "q" | "time">>) =>
    search && go(toSearchParams({ ...search, q, ...part, event: null, after: null, before: null }));
  const applyText = (text: string) => change({ q: text });

  const bar = {
    organizationId,
    filter,
    q,
    diagnostics: isRun ? [] : state.diagnostics,
    onChange: applyText,
  };
  const time = search && (
    <TimeControl
      organizationId={organizationId}
      time={search.time}
      onChange={(next) => change({ time: next })}
    />
  );
  const download = isRun && (
    <DownloadMenu
      organizationId={organizationId}
      search={state.search}
      canExport={props.canExport}
    />
  );
  return (
    <>
      {search && (
        <>
          <div className="flex min-h-11 shrink-0 items-start gap-2 border-b border-(--border) px-3 py-2 max-sm:hidden">
            <FilterBar {...bar} />
            {time}
            <LiveToggle tail={tail} />
            {download}
          </div>
          <div className="flex shrink-0 gap-2 border-b border-(--border) px-4 py-2 sm:hidden">
            <MobileFilters
              count={filter?.clauses.length ?? 1}
              result={
                state.kind === "ready"
                  ? countWords(state.page.rows.length, state.page.next !== null)
                  : null
              }
              onClear={() => applyText("")}
            >
              <FilterBar {...bar} />
              {state.kind === "ready" && (
                <div className="-mx-4 border-t border-(--border)">
                  <FacetSections
                    organizationId={organizationId}
                    search={state.search}
                    version={state.page}
                    onFilter={(next) => go(withFilter(state.search, next))}
                  />
                </div>
              )}
            </MobileFilters>
            {time}
            <LiveToggle tail={tail} />
            {download}
          </div>
        </>
      )}
      {state.kind === "ready" && (
        <div className="flex min-h-0 flex-1">
          <FacetRail
            organizationId={organizationId}
            search={state.search}
            version={state.page}
            onFilter={(next) => go(withFilter(state.search, next))}
          />
          <Results
            // Another search starts its own list; opening an event does not.
            key={toSearchParams({ ...state.search, event: null }).toString()}
            organizationId={organizationId}
            detail={props.detail}
            verifiedTo={props.verifiedTo}
            showsDeliveries={props.showsDeliveries}
            actions={props.actions}
            search={state.search}
            first={state.page}
            tail={tail}
            above={
              <Histogram
                organizationId={organizationId}
                search={state.search}
                version={state.page}
                onTime={(next) => change({ time: next })}
              />
            }
            isNavigating={isNavigating}
            onFilter={(next) => go(withFilter(state.search, next))}
            onTime={(next) => change({ time: next })}
            onRefresh={() => startNavigation(() => router.refresh())}
          />
        </div>
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
          action={
            <span className="flex flex-wrap justify-center gap-2">
              {!state.rest && state.diagnostics.length === 0 && q && (
                <Button onClick={() => go(new URLSearchParams({ q }))}>Search all time</Button>
              )}
              <Button onClick={() => go(new URLSearchParams())}>Start over</Button>
            </span>
          }
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

/** `100+ events`, `1 event` */
export function countWords(count: number, hasMore: boolean): string {
  const more = hasMore ? "+" : "";
  return `${count.toLocaleString("en-US")}${more} ${count === 1 && !more ? "event" : "events"}`;
}
