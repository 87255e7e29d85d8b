"use client";

import { ActionGlyph } from "@/components/events/action-glyph";
import { participantName, TypeIcon } from "@/components/events/participant";
import { Shown } from "@/components/events/shown";
import { checkedState, TrailMark } from "@/components/events/trail-mark";
import { clockOf, type Zone, zoneOffset } from "@/components/events/zone";
import { deviceWords } from "@/lib/events/device";
import { HIDDEN } from "@/lib/events/sight";
import type { Lane } from "@/lib/events/subject";
import { type Day, type FirstTime, type Line, linesOf } from "@/lib/events/timeline";
import { dayWords, plural } from "./days";

export interface DayView {
  main: Lane;
  /** Whether the other lane stands beside it. */
  isBoth: boolean;
  zone: Zone;
  verifiedTo: number | null;
  /** The event open or last visited: the tab stop. */
  activeId: string | null;
  openId: string | null;
  expanded: ReadonlySet<string>;
  onOpen(id: string): void;
  onExpand(id: string): void;
}

/** One day under its sticky head: sessions of the main lane, and the other lane beside them in time. */
export function DaySection({ day, view }: { day: Day; view: DayView }) {
  const { main, isBoth, zone } = view;
  const lines = linesOf(day.rows, main, (id) => view.expanded.has(id));
  const offsets = new Set(day.rows.map(({ occurredAt }) => zoneOffset(zone, occurredAt)));
  const count = (lane: Lane) => day.rows.filter(({ lanes }) => lanes.includes(lane)).length;
  const more = day.isPartial ? "+" : "";
  const counts = [
    ...(isBoth || main === "did"
      ? [`${count("did")}${more} ${count("did") === 1 && !more ? "action" : "actions"}`]
      : []),
    ...(isBoth || main === "done" ? [`${count("done")}${more} done to`] : []),
  ];
  const withMain = new Set(lines.flatMap(({ lane, gridRow }) => (lane === main ? [gridRow] : [])));
  return (
    <section aria-label={dayWords(day.day)} data-day={day.day} className="mt-3">
      <h3
        className="sticky top-0 z-10 flex flex-wrap items-baseline gap-x-2 border-b border-(--border) bg-(--surface) py-1.5 font-medium"
        suppressHydrationWarning
      >
        {dayWords(day.day)}
        <span className="text-[12px] font-normal text-(--text-3)" data-testid="day-count">
          {counts.join(", ")}
          <span className="max-sm:hidden">, {[...offsets].join(" and ")}</span>
        </span>
      </h3>
      <ol
        className={`grid ${isBoth ? "grid-cols-[minmax(0,1.9fr)_32px_minmax(0,1fr)]" : "grid-cols-[32px_minmax(0,1fr)]"} max-sm:grid-cols-[minmax(0,1fr)]`}
      >
        {lines.map((line, index) => {
          const isMain = line.lane === main;
          const column =
            !isBoth || isMain
              ? "col-start-1 col-span-2"
              : withMain.has(line.gridRow)
                ? "col-start-3"
                : "col-start-2 col-span-2";
          const hasMark = column !== "col-start-3";
          const mark = hasMark && (
            <span
              className={`h-full max-sm:hidden ${isBoth ? "col-start-2 row-start-1" : ""} ${isBoth && !isMain ? "col-start-1" : ""}`}
            >
              <TrailMark
                state={checkedState(Math.max(...line.rows.map(({ seq }) => seq)), view.verifiedTo)}
                isFirst={line.gridRow === 1}
                isLast={index === lines.length - 1}
              />
            </span>
          );
          return (
            <li
              key={`${line.kind} ${line.rows[0].id}`}
              style={{ "--row": line.gridRow } as React.CSSProperties}
              className={`row-start-(--row) grid grid-cols-subgrid max-sm:col-span-1 max-sm:col-start-1 max-sm:row-auto ${column} ${line.kind === "session" && line.gridRow > 1 ? "mt-1.5" : ""}`}
            >
              {isBoth && !isMain && mark}
              {!isBoth && mark}
              {line.kind === "session" ? (
                <SessionHead line={line} zone={zone} isOpenEnded={day.isPartial} />
              ) : (
                <RunLine line={line} view={view} isAside={isBoth && !isMain} />
              )}
              {isBoth && isMain && mark}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function SessionHead(props: { line: Line; zone: Zone; isOpenEnded: boolean }) {
  const { rows, lane } = props.line;
  const [newest] = rows;
  const clock = (iso: string) => clockOf(iso, props.zone).time.slice(0, 5);
  const [start, end] = [clock((rows.at(-1) ?? newest).occurredAt), clock(newest.occurredAt)];
  return (
    <div
      className={`flex min-h-8 min-w-0 flex-wrap items-center gap-x-3 pt-1 ${props.line.gridRow > 1 ? "border-t border-(--border)" : ""}`}
    >
      <span
        className="font-mono text-[12px] font-medium whitespace-nowrap"
        suppressHydrationWarning
      >
        {start === end ? end : `${start} to ${end}`}
      </span>
      {lane === "done" && (
        <span className="min-w-0 truncate">
          <Shown text={participantName(newest.actor)} />
        </span>
      )}
      <span className="whitespace-nowrap text-(--text-2)">{plural(rows.length, "event")}</span>
      {newest.location !== null && (
        <span className="min-w-0 truncate font-mono text-[12px]">
          <Shown text={newest.location} />
        </span>
      )}
      <FirstTimes line={props.line} what={["ip"]} />
      {newest.agent !== null && (
        <span className="ml-auto min-w-0 truncate text-(--text-3) max-sm:ml-0" title={newest.agent}>
          {newest.agent === HIDDEN ? <Shown text={HIDDEN} /> : deviceWords(newest.agent)}
        </span>
      )}
    </div>
  );
}

const FIRST_WORDS: Record<FirstTime["what"], [tag: string, sentence: string]> = {
  seen: ["first seen", "The first event of this actor"],
  ip: ["new IP", "The first time this actor used this address"],
  action: ["first time", "The first time this actor did this"],
};

/** A new address belongs to the whole session, where there is one. */
function FirstTimes({ line, what: kinds }: { line: Line; what: FirstTime["what"][] }) {
  const all = line.rows.flatMap(({ firstTimes }) => firstTimes);
  // Who is new is new in everything.
  const said = all.some(({ what }) => what === "seen")
    ? all.filter(({ what }) => what === "seen")
    : all;
  return said
    .filter(({ what }) => kinds.includes(what))
    .map(({ what, within }) => {
      const [tag, sentence] = FIRST_WORDS[what];
      const bound = within === null ? "" : ` in ${within.toLocaleString("en-US")}`;
      return (
        <span
          key={what}
          title={`${sentence}${bound ? `${bound} events before it; older ones were not looked at` : ", of all events kept"}.`}
          className="shrink-0 rounded-[3px] border border-(--border-control) px-1 text-[11px] leading-4 font-medium whitespace-nowrap"
        >
          {tag}
          {bound}
        </span>
      );
    });
}

function RunLine(props: { line: Line; view: DayView; isAside: boolean }) {
  const { line, view, isAside } = props;
  const [event] = line.rows;
  const { time } = clockOf(event.occurredAt, view.zone);
  const others = line.lane === "did" ? event.targets : [event.actor];
  const isOpen = line.rows.some(({ id }) => id === view.openId);
  const isActive = line.rows.some(({ id }) => id === view.activeId);
  const isExpanded = view.expanded.has(event.id);
  const preposition = line.lane === "done" ? "by" : isAside ? "to" : "";
  return (
    <div
      className={`flex min-w-0 items-center gap-1.5 hover:bg-(--hover) ${isAside ? "max-sm:border-l-2 max-sm:border-(--border-strong) max-sm:pl-2" : ""} ${isOpen ? "bg-(--selected)" : ""}`}
    >
      <button
        type="button"
        data-row={event.id}
        data-testid="timeline-row"
        tabIndex={isActive ? 0 : -1}
        aria-pressed={isOpen}
        onClick={() => view.onOpen(event.id)}
        onKeyDown={(key) => {
          const toggles = key.key === (isExpanded ? "ArrowLeft" : "ArrowRight");
          if (toggles && (line.rows.length > 1 || isExpanded)) view.onExpand(event.id);
        }}
        className={`${isAside ? "grid-cols-[60px_16px_fit-content(60%)_minmax(0,1fr)]" : "grid-cols-[60px_16px_minmax(0,3fr)_minmax(0,2fr)]"} grid h-7 min-w-0 flex-1 items-center gap-x-2 text-left focus-visible:shadow-(--focus-inset) max-sm:h-13 max-sm:grid-cols-[16px_minmax(0,1fr)_auto] max-sm:gap-y-0`}
      >
        <time
          dateTime={event.occurredAt}
          data-received={event.recordedAt}
          className="font-mono text-[12px] text-(--text-3) max-sm:order-3 max-sm:text-right"
          suppressHydrationWarning
        >
          {time}
        </time>
        <ActionGlyph action={event.action} />
        <span className="truncate font-mono text-[12px]">{event.action}</span>
        <span className="flex min-w-0 items-center gap-1.5 overflow-hidden text-(--text-2) max-sm:order-4 max-sm:col-span-2 max-sm:col-start-2">
          {preposition && <span className="text-(--text-3)">{preposition}</span>}
          {!isAside && others[0] && <TypeIcon type={others[0].type} />}
          <span
            className="truncate"
            title={others.map(({ type, id }) => `${type} ${id}`).join(", ")}
          >
            {others.map(participantName).join(", ") || (
              <span className="text-(--text-3)">no target</span>
            )}
          </span>
        </span>
      </button>
      {(line.rows.length > 1 || isExpanded) && (
        <button
          type="button"
          tabIndex={isActive ? 0 : -1}
          aria-expanded={isExpanded}
          aria-label={
            isExpanded
              ? "Show the equal events as one"
              : `Show the ${line.rows.length} equal events`
          }
          onClick={() => view.onExpand(event.id)}
          className="shrink-0 rounded-[3px] px-1 text-[12px] text-(--text-2) tabular-nums hover:bg-(--sunken) max-sm:h-11 max-sm:min-w-11"
        >
          {isExpanded ? "fold" : `×${line.rows.length}`}
        </button>
      )}
      {isAside && <span className="sr-only">was done to</span>}
      <FirstTimes line={line} what={isAside ? ["seen", "ip", "action"] : ["seen", "action"]} />
    </div>
  );
}
