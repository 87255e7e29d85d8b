"use client";

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useFetched } from "@/components/events/use-fetched";
import { clockOf, useZone } from "@/components/events/zone";
import { type TimelineSearch, toTimelineParams } from "@/lib/events/subject";
import type { DayCounts } from "@/lib/events/timeline";
import { dayAfter, dayStart, daysUpTo, dayWords, plural, shortDay } from "./days";
import { PartFailed } from "./part-failed";
import { shadeOf } from "./usual-panel";

const DAYS = 90;
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -7,
  PageDown: 7,
  Home: -DAYS,
  End: DAYS,
};

interface Props {
  organizationId: string;
  timeline: TimelineSearch;
  /** ISO time of the subject's newest event: the strip ends with its day. */
  lastSeen: string;
  /** The newest day on screen. */
  current: string | undefined;
  onJump(day: string): void;
}

/** The 90 days up to the newest event, a cell each; Enter goes to the day. */
export function DayStrip(props: Props) {
  const { timeline } = props;
  const zone = useZone();
  const scroller = useRef<HTMLDivElement>(null);
  const cells = useRef<HTMLDivElement>(null);
  // The newest day first, where not all fit.
  useEffect(() => {
    if (scroller.current) scroller.current.scrollLeft = scroller.current.scrollWidth;
  }, []);
  const days = daysUpTo(clockOf(props.lastSeen, zone).day, DAYS);
  const [active, setActive] = useState<string | null>(null);
  const last = days.at(-1) ?? "";
  const params = toTimelineParams({
    ...timeline,
    at: null,
    search: { ...timeline.search, event: null },
  });
  params.set("starts", [...days, dayAfter(last)].map((day) => dayStart(day, zone)).join());
  const {
    data: counts,
    failure,
    retry,
  } = useFetched<DayCounts>(`/o/${props.organizationId}/timeline/days?${params}`);
  if (failure) return <PartFailed what="the days" {...failure} onRetry={retry} />;

  const from = counts?.countedFrom ? clockOf(counts.countedFrom, zone).day : null;
  const did = counts?.did ?? [];
  const done = counts?.done ?? [];
  const most = Math.max(1, ...days.map((_, index) => (did[index] ?? 0) + (done[index] ?? 0)));
  const sum = (list: number[]) => list.reduce((total, count) => total + count, 0);
  const laneWords = (didCount: number, doneCount: number, more = "") =>
    [
      ...(timeline.lane === "done" ? [] : [`${plural(didCount, "action")}${more}`]),
      ...(timeline.lane === "did" ? [] : [`${doneCount.toLocaleString("en-US")}${more} done to`]),
    ].join(", ");
  const words = (day: string, index: number) => {
    if (!counts) return dayWords(day);
    if (from && day < from) return `${dayWords(day)}: not counted`;
    return `${dayWords(day)}: ${laneWords(did[index] ?? 0, done[index] ?? 0, day === from ? "+" : "")}`;
  };
  const tabStop = active && days.includes(active) ? active : last;

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(DAYS - 1, Math.max(0, days.indexOf(tabStop) + step));
    setActive(days[to] ?? last);
    cells.current?.querySelectorAll("button")[to]?.focus();
  };

  return (
    <section aria-label="90 days" className="mt-3" aria-busy={!counts}>
      <p className="text-[12px] text-(--text-3)" suppressHydrationWarning>
        <span className="font-medium text-(--text-2)">90 days</span>{" "}
        {counts ? laneWords(sum(did), sum(done), from ? "+" : "") : "…"}
        {from &&
          counts &&
          `, counted over the newest ${counts.limit.toLocaleString("en-US")} of each lane: whole after ${shortDay(from)}`}
      </p>
      <div ref={scroller} className="overflow-x-auto">
        <div className="max-sm:w-[900px]">
          <div
            ref={cells}
            role="toolbar"
            aria-label="Days, arrow keys move, Enter goes there"
            onKeyDown={onKeyDown}
            className="mt-1 flex h-11 items-end gap-px pt-1 pb-0.5"
          >
            {days.map((day, index) => {
              const count = (did[index] ?? 0) + (done[index] ?? 0);
              const isCounted = !from || day >= from;
              const shade = shadeOf(count, most);
              return (
                <button
                  key={day}
                  type="button"
                  tabIndex={day === tabStop ? 0 : -1}
                  aria-label={words(day, index)}
                  title={words(day, index)}
                  aria-current={day === props.current ? "date" : undefined}
                  onFocus={() => setActive(day)}
                  onClick={() => props.onJump(day)}
                  className="group flex h-full min-w-0 flex-1 items-end rounded-[2px] hover:bg-(--hover) focus-visible:shadow-(--focus-inset) aria-[current]:outline-[1.5px] aria-[current]:-outline-offset-1 aria-[current]:outline-(--focus-color)"
                  suppressHydrationWarning
                >
                  <span
                    className={`w-full ${isCounted ? "" : "border-t border-dotted border-(--border-control)"}`}
                    style={{
                      height: isCounted ? `${10 + 22.5 * shade}%` : "10%",
                      background: isCounted ? `var(--ch-cell-${shade})` : undefined,
                    }}
                  />
                </button>
              );
            })}
          </div>
          <p
            aria-hidden="true"
            className="flex justify-between font-mono text-[11px] text-(--text-3)"
            suppressHydrationWarning
          >
            <span>{shortDay(days[0] ?? last)}</span>
            <span>{shortDay(days[DAYS / 2] ?? last)}</span>
            <span>{shortDay(last)}</span>
          </p>
        </div>
      </div>
    </section>
  );
}
