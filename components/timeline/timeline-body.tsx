"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { EventDrawer } from "@/components/events/lazy-drawer";
import { filterPivots, PivotProvider } from "@/components/events/pivots";
import { useOpenEvent } from "@/components/events/use-open-event";
import { clockOf, useZone } from "@/components/events/zone";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { timeBounds } from "@/lib/events/filter/url";
import { primaryLane, type TimelineSearch, toTimelineParams } from "@/lib/events/subject";
import { daysOf } from "@/lib/events/timeline";
import { DaySection, type DayView } from "./day-section";
import { DayStrip } from "./day-strip";
import { dayAfter, dayStart, plural } from "./days";
import { PartFailed } from "./part-failed";
import type { TimelineProps, TimelineState } from "./timeline";
import { TimelineEnd } from "./timeline-end";
import { TimelineHeader } from "./timeline-header";
import { usePages } from "./use-pages";
import { UsualPanel } from "./usual-panel";

export interface TimelineBodyProps extends TimelineProps {
  state: Extract<TimelineState, { kind: "ready" }>;
  isNavigating: boolean;
  hrefOf(change: Partial<TimelineSearch>): string;
  go(change: Partial<TimelineSearch>): void;
}

/** Head, strip and days, endless in both directions, and the drawer beside them. */
export function TimelineBody(props: TimelineBodyProps) {
  const { organizationId, timeline, state, actions } = props;
  const { subject, search } = timeline;
  const zone = useZone();
  const scroller = useRef<HTMLDivElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const query = toTimelineParams({ ...timeline, search: { ...search, event: null } }).toString();
  const { list } = actions;
  const load = useCallback(
    (direction: "after" | "before", cursor: string) =>
      list(organizationId, query, direction, cursor),
    [list, organizationId, query],
  );
  const { pages, more, failure, isLoading } = usePages(state.page, load);
  const { openId, detail, open, retry } = useOpenEvent(organizationId, actions.read, state.detail);
  const [visitedId, setVisitedId] = useState(openId);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set());

  const rows = pages.flatMap((page) => page.rows);
  const last = pages.at(-1);
  const undecided = pages.reduce((sum, page) => sum + page.undecided, 0);
  const [next, previous] = [last?.next ?? null, pages[0]?.previous ?? null];
  const days = daysOf(rows, (iso) => clockOf(iso, zone).day, { newest: !previous, oldest: !next });

  // A search that stopped before the end waits to be told to go on.
  const mayPrefetch = next !== null && !last?.searchedTo && !failure && !isLoading;
  useEffect(() => {
    if (!mayPrefetch || !end.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && void more("after"),
      { root: scroller.current, rootMargin: "1500px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [mayPrefetch, more]);

  const show = (id: string) => {
    setVisitedId(id);
    open(id);
  };
  const rowButtons = () => [
    ...(scroller.current?.querySelectorAll<HTMLElement>("[data-row]") ?? []),
  ];
  const focusRow = (id: string | null) =>
    rowButtons()
      .find((row) => row.dataset.row === id)
      ?.focus();
  const close = () => {
    open(null);
    focusRow(visitedId);
  };
  const move = (by: 1 | -1, event: KeyboardEvent) => {
    const buttons = rowButtons();
    const isElsewhere =
      document.activeElement !== document.body &&
      !buttons.includes(document.activeElement as HTMLElement);
    // Arrow keys belong to whatever has the focus; letters do not.
    if (event.key.startsWith("Arrow") && isElsewhere) return false;
    const at = buttons.findIndex((row) => row.dataset.row === visitedId);
    const row = buttons[at < 0 ? 0 : at + by];
    if (at + by >= buttons.length - 3) void more("after");
    if (!row) return;
    row.focus();
    const id = row.dataset.row as string;
    if (openId) show(id);
    else setVisitedId(id);
  };
  useShortcuts([
    { keys: "j", label: "Next event", group: "Timeline", run: (event) => move(1, event) },
    { keys: "k", label: "Previous event", group: "Timeline", run: (event) => move(-1, event) },
    { keys: "ArrowDown", label: "Next event", group: "Timeline", run: (event) => move(1, event) },
    {
      keys: "ArrowUp",
      label: "Previous event",
      group: "Timeline",
      run: (event) => move(-1, event),
    },
    {
      keys: "Escape",
      label: "Close the event",
      group: "Timeline",
      run: () => (openId ? close() : false),
    },
  ]);

  const jump = (day: string) => {
    const loaded = days.find((one) => one.day === day && !(one.isPartial && one === days[0]));
    const section = loaded && scroller.current?.querySelector(`[data-day="${day}"]`);
    if (section) {
      section.scrollIntoView({ block: "start" });
      const row = section.querySelector<HTMLElement>("[data-row]");
      setVisitedId(row?.dataset.row ?? null);
      row?.focus({ preventScroll: true });
      return;
    }
    const at = new Date(dayStart(dayAfter(day), zone)).toISOString();
    const { from, to } = timeBounds(search.time, Date.now());
    // A day outside the chosen time asks for another time.
    const isInside =
      (!from || at > from) && (!to || new Date(dayStart(day, zone)).toISOString() < to);
    const time = isInside ? search.time : { kind: "all" as const };
    props.go({ at, search: { ...search, time, event: null } });
  };

  const position = rows.findIndex((row) => row.id === openId);
  const step = (by: 1 | -1) => {
    const row = rows[position + by];
    if (row) show(row.id);
    if (position + by >= rows.length - 1) void more("after");
  };

  const view: DayView = {
    main: timeline.lane ?? primaryLane(subject),
    isBoth:
      timeline.lane === null && rows.some(({ lanes }) => !lanes.includes(primaryLane(subject))),
    zone,
    verifiedTo: state.verifiedTo,
    activeId: rows.some(({ id }) => id === visitedId) ? visitedId : (rows[0]?.id ?? null),
    openId,
    expanded,
    onOpen: show,
    onExpand: (id) => {
      const changed = new Set(expanded);
      if (!changed.delete(id)) changed.add(id);
      setExpanded(changed);
    },
  };
  const failed = (direction: "after" | "before") =>
    failure?.direction === direction && (
      <PartFailed what="the next events" {...failure} onRetry={() => void more(direction)} />
    );
  return (
    <div className="flex min-h-0 flex-1">
      <div
        ref={scroller}
        className="relative min-h-0 min-w-0 flex-1 overflow-auto px-8 pt-4 pb-8 max-sm:px-4"
      >
        <TimelineHeader
          organizationId={organizationId}
          timeline={timeline}
          summary={state.subject}
          laneHref={(lane) => props.hrefOf({ lane })}
        />
        {state.subject.lastSeen === null ? (
          <div className="grid justify-items-start gap-3 py-10">
            <p>
              No event kept has the {subject.role} <span className="font-mono">{subject.id}</span>{" "}
              of type <span className="font-mono">{subject.type}</span>.
            </p>
            <ButtonLink href={`/o/${organizationId}/events`}>Events</ButtonLink>
          </div>
        ) : (
          <>
            <UsualPanel organizationId={organizationId} subject={subject} />
            <DayStrip
              organizationId={organizationId}
              timeline={timeline}
              lastSeen={state.subject.lastSeen}
              current={days[0]?.day}
              onJump={jump}
            />
            {previous && (
              <p className="mt-3">
                <Button onClick={() => void more("before")} disabled={isLoading}>
                  Newer events
                </Button>
              </p>
            )}
            {failed("before")}
            {undecided > 0 && (
              <p className="mt-3 text-[12px] text-(--text-3)">
                Whether something was done for the first time was not decided in{" "}
                {plural(undecided, "case")}: those actors have too long a past.
              </p>
            )}
            <div aria-busy={props.isNavigating} className={props.isNavigating ? "opacity-60" : ""}>
              {days.map((day) => (
                <DaySection key={day.day} day={day} view={view} />
              ))}
            </div>
            <div
              ref={end}
              className="mt-4 grid justify-items-start gap-2 text-(--text-3)"
              aria-live="polite"
            >
              {failed("after")}
              {!failure && (
                <TimelineEnd
                  {...props}
                  count={rows.length}
                  page={last}
                  isLoading={isLoading}
                  onContinue={() => void more("after")}
                />
              )}
            </div>
          </>
        )}
      </div>
      {openId && (
        <PivotProvider
          value={{
            organizationId,
            ...filterPivots(search.filter, (filter) =>
              props.go({ search: { ...search, q: serializeFilter(filter), event: null } }),
            ),
          }}
        >
          <EventDrawer
            state={detail}
            position={position < 0 ? "" : `${position + 1} of ${rows.length}${next ? "+" : ""}`}
            verifiedTo={state.verifiedTo}
            showsDeliveries={state.showsDeliveries}
            onStep={step}
            onRetry={retry}
            onClose={close}
          />
        </PivotProvider>
      )}
    </div>
  );
}
