"use client";

import { useRouter } from "next/navigation";
import { useTransition } from "react";
import type { ExplorerActions } from "@/components/events/explorer";
import { FilterBar } from "@/components/events/filter-bar";
import { MobileFilters } from "@/components/events/mobile-filters";
import { TimeControl } from "@/components/events/time-control";
import { Button } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { EventDetail } from "@/lib/events/schema";
import { type TimelineSearch, toTimelineParams } from "@/lib/events/subject";
import type { SubjectSummary, TimelinePage } from "@/lib/events/timeline";
import type { ActionResult } from "@/lib/http/action-result";
import { TimelineBody } from "./timeline-body";

export type TimelineState =
  | {
      kind: "ready";
      page: TimelinePage;
      subject: SubjectSummary;
      verifiedTo: number | null;
      showsDeliveries: boolean;
      detail: EventDetail | null;
    }
  | { kind: "failed"; message: string; requestId: string };

export interface TimelineProps {
  organizationId: string;
  timeline: TimelineSearch;
  state: TimelineState;
  actions: {
    list(
      organizationId: string,
      query: string,
      direction: "after" | "before",
      cursor: string,
    ): Promise<ActionResult<TimelinePage>>;
    read: ExplorerActions["read"];
  };
}

/** What one actor or target did and had done to it; the whole state is in the URL. */
export function Timeline(props: TimelineProps) {
  const { organizationId, timeline, state } = props;
  const { search } = timeline;
  const router = useRouter();
  const [isNavigating, startNavigation] = useTransition();
  const hrefOf = (change: Partial<TimelineSearch>) =>
    `/o/${organizationId}/timeline?${toTimelineParams({ ...timeline, at: null, search: { ...search, event: null }, ...change })}`;
  const go = (change: Partial<TimelineSearch>) =>
    startNavigation(() => router.push(hrefOf(change)));
  const onFilter = (q: string) => go({ search: { ...search, q, event: null } });

  const bar = {
    organizationId,
    filter: search.filter,
    q: search.q,
    diagnostics: [],
    onChange: onFilter,
  };
  const time = (
    <TimeControl
      organizationId={organizationId}
      time={search.time}
      onChange={(next) => go({ search: { ...search, time: next, event: null } })}
    />
  );
  return (
    <>
      <div className="flex min-h-11 shrink-0 items-start gap-2 border-b border-(--border) px-3 py-2 max-sm:hidden">
        <FilterBar {...bar} />
        {time}
      </div>
      <div className="flex shrink-0 gap-2 border-b border-(--border) px-4 py-2 sm:hidden">
        <MobileFilters
          count={search.filter.clauses.length}
          result={null}
          onClear={() => onFilter("")}
        >
          <FilterBar {...bar} />
        </MobileFilters>
        {time}
      </div>
      {state.kind === "failed" ? (
        <ErrorPanel
          title="Could not load the timeline."
          requestId={state.requestId}
          action={
            <Button
              variant="primary"
              disabled={isNavigating}
              onClick={() => startNavigation(() => router.refresh())}
            >
              Retry
            </Button>
          }
        >
          {state.message}
        </ErrorPanel>
      ) : (
        <TimelineBody
          {...props}
          state={state}
          hrefOf={hrefOf}
          go={go}
          isNavigating={isNavigating}
        />
      )}
    </>
  );
}
