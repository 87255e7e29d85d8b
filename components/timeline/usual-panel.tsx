"use client";

import type { ReactNode } from "react";
import { useSight } from "@/components/events/seen";
import { Shown } from "@/components/events/shown";
import { useFetched } from "@/components/events/use-fetched";
import { clockOf, useZone, type Zone, zoneTitle } from "@/components/events/zone";
import { deviceWords } from "@/lib/events/device";
import { HIDDEN, isHidden } from "@/lib/events/sight";
import { isClause, laneClauses, primaryLane, type Subject } from "@/lib/events/subject";
import type { Counted, Usual } from "@/lib/events/timeline";
import { plural } from "./days";
import { PartFailed } from "./part-failed";
import { filterHref, LINK } from "./timeline-header";

const QUARTER_MS = 900_000;

/** What the subject usually does, or has done to it, and when and from where. */
export function UsualPanel(props: { organizationId: string; subject: Subject }) {
  const { organizationId, subject } = props;
  const zone = useZone();
  const params = new URLSearchParams({ [subject.role]: `${subject.type}:${subject.id}` });
  const {
    data: usual,
    failure,
    retry,
  } = useFetched<Usual>(`/o/${organizationId}/timeline/usual?${params}`);
  const hidden = new Set(useSight()?.hidden);
  if (failure) return <PartFailed what="what is usual" {...failure} onRetry={retry} />;
  const list = (
    title: string,
    field: Parameters<typeof isClause>[0],
    values: Counted[] | undefined,
    words = (value: string) => value,
  ) => (
    <Part title={title}>
      {wordsOf(values ?? [], words).map(([label, same, events]) => (
        <li key={label} className="flex gap-2">
          <a
            className={`min-w-0 truncate font-mono text-[12px] ${LINK}`}
            title={same.join("\n")}
            href={filterHref(
              `/o/${organizationId}/events`,
              [...laneClauses(subject, primaryLane(subject)), isClause(field, ...same)],
              { kind: "all" },
            )}
          >
            {label}
          </a>
          <span className="shrink-0 text-[12px] text-(--text-3)">
            {events.toLocaleString("en-US")}
          </span>
        </li>
      ))}
      {isHidden(hidden, { id: field }) ? (
        <li>
          <Shown text={HIDDEN} />
        </li>
      ) : (
        values?.length === 0 && <li className="text-(--text-3)">None named</li>
      )}
    </Part>
  );
  const over =
    usual &&
    (usual.isAll ? plural(usual.events, "event") : `newest ${plural(usual.events, "event")}`);
  return (
    <section
      aria-label="What is usual"
      aria-busy={!usual}
      className="mt-4 border-y border-(--border) py-2"
    >
      <p className="text-[12px] text-(--text-3)">
        <span className="font-medium text-(--text-2)">Usually</span>{" "}
        {over ? `over ${usual?.isAll ? "all" : "the"} ${over}` : "…"}
      </p>
      <div className="mt-1 grid min-h-25 grid-cols-[repeat(auto-fit,minmax(150px,1fr))] gap-x-6 gap-y-3">
        {subject.role === "target" && list("Actors", "actor", usual?.actors)}
        {list("Actions", "action", usual?.actions)}
        {list("Addresses", "ip", usual?.addresses)}
        {list("Devices", "agent", usual?.agents, deviceWords)}
        <Part title={`Hours, ${zoneTitle(zone)}`}>
          {usual && <Hours counts={hoursOf(usual, zone)} />}
        </Part>
      </div>
    </section>
  );
}

/** Values that read the same are one line, which links to all of them. */
function wordsOf(
  values: Counted[],
  words: (value: string) => string,
): [label: string, same: string[], events: number][] {
  const lines = new Map<string, { same: string[]; events: number }>();
  for (const [value, events] of values) {
    const line = lines.get(words(value)) ?? { same: [], events: 0 };
    lines.set(words(value), { same: [...line.same, value], events: line.events + events });
  }
  return [...lines].map(([label, { same, events }]) => [label, same, events]);
}

function Part(props: { title: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <h3 className="text-[12px] text-(--text-3)" suppressHydrationWarning>
        {props.title}
      </h3>
      <ul>{props.children}</ul>
    </div>
  );
}

function hoursOf({ quarters }: Usual, zone: Zone): number[] {
  const hours = Array<number>(24).fill(0);
  for (const [quarter, events] of quarters) {
    const { time } = clockOf(new Date(quarter * QUARTER_MS).toISOString(), zone);
    const hour = Number(time.slice(0, 2));
    hours[hour] = (hours[hour] ?? 0) + events;
  }
  return hours;
}

/** Which of the five shades a count has beside the largest; only 0 is the palest. */
export function shadeOf(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1, Math.ceil((4 * count) / most));
}

const hourWords = (hour: number) => `${String(hour).padStart(2, "0")}:00`;

function Hours({ counts }: { counts: number[] }) {
  const most = Math.max(...counts);
  const busy = counts.flatMap((count, hour) => (count > 0 ? [`${hourWords(hour)} ${count}`] : []));
  return (
    <li>
      <svg
        viewBox="0 0 240 28"
        className="mt-0.5 h-7 w-full max-w-60"
        preserveAspectRatio="none"
        role="img"
        aria-label={`Events by hour: ${busy.join(", ") || "none"}`}
      >
        {counts.map((count, hour) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: the hour is the place.
            key={hour}
            x={hour * 10}
            y="0"
            width="9"
            height="28"
            fill={`var(--ch-cell-${shadeOf(count, most)})`}
          >
            <title>{`${hourWords(hour)}: ${plural(count, "event")}`}</title>
          </rect>
        ))}
      </svg>
      <span
        aria-hidden="true"
        className="flex max-w-60 justify-between font-mono text-[11px] text-(--text-3)"
      >
        <span>00</span>
        <span>06</span>
        <span>12</span>
        <span>18</span>
        <span>24</span>
      </span>
    </li>
  );
}
