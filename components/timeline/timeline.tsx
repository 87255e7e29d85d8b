"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";
import { ActionGlyph } from "@/components/events/action-glyph";
import { type DetailState, EventDrawer } from "@/components/events/event-drawer";
import type { ExplorerActions } from "@/components/events/explorer";
import { participantName, TypeIcon } from "@/components/events/participant";
import { TimeControl } from "@/components/events/time-control";
import { TrailMark } from "@/components/events/trail-mark";
import type { Page } from "@/components/events/use-event-list";
import { clockOf, useZone, type Zone, zoneOffset } from "@/components/events/zone";
import { Button } from "@/components/ui/button";
import type { TimeRange } from "@/lib/events/filter/url";
import type { EventRow } from "@/lib/events/schema";
import type { Subject } from "@/lib/events/subject";
import type { ActionResult } from "@/lib/http/action-result";

interface Props {
  organizationId: string;
  subject: Subject;
  time: TimeRange;
  first: Page;
  verifiedTo: number | null;
  actions: Pick<ExplorerActions, "read"> & {
    list(organizationId: string, subject: string, after: string): Promise<ActionResult<Page>>;
  };
}

function hrefOf(
  organizationId: string,
  role: Subject["role"],
  subject: Subject,
  time: TimeRange,
): string {
  const params = new URLSearchParams({ [role]: `${subject.type}:${subject.id}` });
  if (time.kind === "relative") params.set("range", time.range);
  if (time.kind === "absolute" && time.from) params.set("from", time.from);
  if (time.kind === "absolute" && time.to) params.set("to", time.to);
  return `/o/${organizationId}/timeline?${params}`;
}

/** Everything one actor did, or everything done to one target, day by day. */
export function Timeline(props: Props) {
  const { organizationId, subject, time, first, actions } = props;
  const router = useRouter();
  const zone = useZone();
  const [isNavigating, startNavigation] = useTransition();
  const [pages, setPages] = useState([first]);
  const [failure, setFailure] = useState<string | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [openId, setOpenId] = useState<string | null>(null);
  const [detail, setDetail] = useState<DetailState>({ kind: "loading" });
  const asked = useRef<string | null>(null);

  useEffect(() => setPages([first]), [first]);

  const rows = pages.flatMap((page) => page.rows);
  const last = pages.at(-1);
  const query = hrefOf(organizationId, subject.role, subject, time).split("?")[1] ?? "";

  const loadMore = async () => {
    if (!last?.next || isLoading) return;
    setLoading(true);
    const result = await actions.list(organizationId, query, last.next).catch(() => null);
    setLoading(false);
    if (result?.ok) setPages((current) => [...current, result.data]);
    setFailure(result === null ? "The server did not answer." : result.ok ? null : result.message);
  };

  const open = async (id: string) => {
    asked.current = id;
    setOpenId(id);
    setDetail({ kind: "loading" });
    const result = await actions.read(organizationId, id).catch(() => null);
    if (asked.current !== id) return;
    if (!result) setDetail({ kind: "error", message: "The server did not answer.", requestId: "" });
    else if (!result.ok)
      setDetail({ kind: "error", message: result.message, requestId: result.requestId });
    else setDetail(result.data ? { kind: "ready", event: result.data } : { kind: "missing" });
  };

  const position = rows.findIndex((row) => row.id === openId);
  const name =
    subject.role === "actor"
      ? rows[0]?.actor.name
      : rows[0]?.targets.find(({ id }) => id === subject.id)?.name;
  const days = groupByDay(rows, (iso) => clockOf(iso, zone).day);
  return (
    <div className="flex min-h-0 flex-1">
      <div className="min-h-0 min-w-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <header className="flex flex-wrap items-start gap-3">
          <div className="min-w-0 flex-1 max-sm:basis-full">
            <h2 className="flex items-center gap-2 text-[22px] leading-7 font-semibold tracking-[-0.02em]">
              <TypeIcon type={subject.type} />
              <span className="min-w-0 break-words">{name ?? subject.id}</span>
            </h2>
            <p className="mt-1 text-(--text-2)">
              {subject.type} <span className="font-mono text-[12px] break-all">{subject.id}</span>
            </p>
          </div>
          <TimeControl
            time={time}
            onChange={(next) =>
              startNavigation(() =>
                router.push(hrefOf(organizationId, subject.role, subject, next)),
              )
            }
          />
        </header>
        <nav aria-label="Lanes" className="mt-4 flex gap-5 border-b border-(--border)">
          {(["actor", "target"] as const).map((role) => (
            <Link
              key={role}
              href={hrefOf(organizationId, role, subject, time)}
              aria-current={role === subject.role ? "page" : undefined}
              className="-mb-px flex h-9 items-center border-b-2 border-transparent text-(--text-2) aria-[current]:border-(--text) aria-[current]:font-medium aria-[current]:text-(--text) max-sm:h-11"
            >
              {role === "actor" ? "Did" : "Was done to"}
            </Link>
          ))}
        </nav>
        {rows.length === 0 && !last?.next && (
          <p className="py-10 text-(--text-2)">
            {subject.role === "actor" ? "No event has this actor" : "No event has this target"}
            {time.kind === "all" ? "." : " within the chosen time."}
          </p>
        )}
        {days.map(({ day, events }, at) => (
          <section key={day} className="mt-4" aria-label={day}>
            <h3
              className="sticky top-0 z-10 flex items-baseline gap-2 border-b border-(--border) bg-(--surface) py-1.5 font-medium"
              suppressHydrationWarning
            >
              {day}
              <span className="text-[12px] font-normal text-(--text-3)">
                {events.length}
                {at === days.length - 1 && last?.next ? "+" : ""}{" "}
                {events.length === 1 ? "event" : "events"}, {offsetsOf(events, zone)}
              </span>
            </h3>
            <ol>
              {events.map((event, index) => (
                <li key={event.id}>
                  <TimelineRow
                    event={event}
                    subject={subject}
                    time={clockOf(event.occurredAt, zone)}
                    isSelected={event.id === openId}
                    mark={
                      <TrailMark
                        isVerified={props.verifiedTo !== null && event.seq <= props.verifiedTo}
                        isFirst={index === 0}
                        isLast={index === events.length - 1}
                      />
                    }
                    onOpen={() => void open(event.id)}
                  />
                </li>
              ))}
            </ol>
          </section>
        ))}
        <div
          className="mt-4 flex items-center gap-3 text-[12px] text-(--text-3)"
          aria-live="polite"
        >
          {failure && (
            <span
              role="alert"
              className="text-(--in-fetch)"
            >{`Could not load the next events. ${failure}`}</span>
          )}
          {last?.next ? (
            <Button onClick={loadMore} disabled={isLoading || isNavigating}>
              Older events
            </Button>
          ) : (
            rows.length > 0 && "Start of this timeline."
          )}
        </div>
      </div>
      {openId && (
        <EventDrawer
          state={detail}
          position={position < 0 ? "" : `${position + 1} of ${rows.length}${last?.next ? "+" : ""}`}
          verifiedTo={props.verifiedTo}
          onStep={(step) => {
            const row = rows[position + step];
            if (row) void open(row.id);
          }}
          onRetry={() => void open(openId)}
          onClose={() => setOpenId(null)}
        />
      )}
    </div>
  );
}

/** One offset, or both on a day when the clock changed. */
function offsetsOf(events: EventRow[], zone: Zone): string {
  return [...new Set(events.map(({ occurredAt }) => zoneOffset(zone, occurredAt)))].join(" and ");
}

function groupByDay(
  rows: EventRow[],
  dayOf: (iso: string) => string,
): { day: string; events: EventRow[] }[] {
  const days: { day: string; events: EventRow[] }[] = [];
  for (const event of rows) {
    const day = dayOf(event.occurredAt);
    const current = days.at(-1);
    if (current?.day === day) current.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}

interface RowProps {
  event: EventRow;
  subject: Subject;
  time: { time: string; milliseconds: string };
  isSelected: boolean;
  mark: React.ReactNode;
  onOpen(): void;
}

/** The subject is the same on every row: what differs is said. */
function TimelineRow(props: RowProps) {
  const { event, subject, time } = props;
  const others = subject.role === "actor" ? event.targets : [event.actor];
  return (
    <button
      type="button"
      onClick={props.onOpen}
      aria-pressed={props.isSelected}
      data-testid="timeline-row"
      className="flex h-7 w-full items-center gap-3 text-left hover:bg-(--hover) aria-pressed:bg-(--selected) max-sm:h-14 max-sm:flex-wrap max-sm:gap-x-2 max-sm:gap-y-0"
    >
      {props.mark}
      <span
        className="w-24 shrink-0 font-mono text-[12px] max-sm:order-3 max-sm:ml-10 max-sm:w-auto"
        suppressHydrationWarning
      >
        {time.time}
        <span className="text-(--text-3)">{time.milliseconds}</span>
      </span>
      <span className="flex min-w-0 flex-1 items-center gap-1.5">
        <ActionGlyph action={event.action} />
        <span className="truncate font-mono text-[12px]">{event.action}</span>
      </span>
      <span className="flex min-w-0 flex-1 items-center gap-1.5 max-sm:order-4">
        {others[0] && <TypeIcon type={others[0].type} />}
        <span className="truncate text-(--text-2)">{others.map(participantName).join(", ")}</span>
      </span>
      <span className="w-32 shrink-0 truncate text-right font-mono text-[12px] text-(--text-3) max-sm:hidden">
        {event.location}
      </span>
    </button>
  );
}
