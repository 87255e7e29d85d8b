import Link from "next/link";
import { TypeIcon } from "@/components/events/participant";
import { clockOf, useZone } from "@/components/events/zone";
import { CopyButton } from "@/components/ui/copy-button";
import type { Clause } from "@/lib/events/filter/ast";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { type EventSearch, toSearchParams } from "@/lib/events/filter/url";
import { LANES, type Lane, laneClauses, type TimelineSearch } from "@/lib/events/subject";
import type { SubjectSummary } from "@/lib/events/timeline";
import { LANE_WORDS } from "./lane-words";

export const LINK =
  "underline decoration-(--border-control) underline-offset-3 hover:decoration-(--text)";

/** The same events in the list, or in its CSV. */
export function filterHref(
  place: string,
  clauses: readonly Clause[],
  time: EventSearch["time"],
): string {
  const q = serializeFilter({ clauses: [...clauses] });
  return `${place}?${toSearchParams({ q, time, event: null, after: null, before: null })}`;
}

interface Props {
  organizationId: string;
  timeline: TimelineSearch;
  summary: SubjectSummary;
  laneHref(lane: Lane | null): string;
}

/** Whose timeline this is, and which lanes. */
export function TimelineHeader(props: Props) {
  const { timeline, summary } = props;
  const { subject, search } = timeline;
  const zone = useZone();
  const shown = timeline.lane ? [timeline.lane] : LANES;
  const links = (label: string, place: string) => (
    <span>
      {label}{" "}
      {shown.map((lane, index) => (
        <span key={lane}>
          {index > 0 && ", "}
          <a
            className={LINK}
            href={filterHref(
              `/o/${props.organizationId}/${place}`,
              [...search.filter.clauses, ...laneClauses(subject, lane)],
              search.time,
            )}
          >
            {LANE_WORDS[lane].toLowerCase()}
          </a>
        </span>
      ))}
    </span>
  );
  const seen = (iso: string) => (
    <time dateTime={iso} suppressHydrationWarning>
      {clockOf(iso, zone).day} {clockOf(iso, zone).time.slice(0, 5)}
    </time>
  );
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-3">
      <span
        aria-hidden="true"
        className="grid size-9 shrink-0 place-items-center rounded-full border border-(--border-strong) bg-(--sunken) [&_svg]:size-4"
      >
        <TypeIcon type={subject.type} />
      </span>
      <div className="min-w-0 flex-1 basis-80 max-sm:basis-60">
        <h2 className="flex flex-wrap items-center gap-x-2 text-[16px] leading-6 font-semibold tracking-[-0.012em]">
          <span className="min-w-0 break-words">{summary.name ?? subject.id}</span>
          <span className="flex min-w-0 items-center font-mono text-[12px] font-normal tracking-normal text-(--text-2)">
            {summary.name && <span className="min-w-0 break-all">{subject.id}</span>}
            <CopyButton text={subject.id} label="Copy the id" className="h-6 max-sm:h-11" />
          </span>
        </h2>
        <p className="flex flex-wrap gap-x-3 text-(--text-2)">
          <span>
            {subject.role === "actor" ? "Actor" : "Target"} of type{" "}
            <span className="font-mono text-[12px]">{subject.type}</span>
          </span>
          {summary.firstSeen && <span>First seen {seen(summary.firstSeen)}</span>}
          {summary.lastSeen && <span>Last seen {seen(summary.lastSeen)}</span>}
          {links("As a filter:", "events")}
          {links("CSV:", "events/csv")}
        </p>
      </div>
      <nav
        aria-label="Lanes"
        className="inline-flex shrink-0 overflow-hidden rounded-[5px] border border-(--border-strong) max-sm:w-full"
      >
        {([null, ...LANES] as const).map((lane) => (
          <Link
            key={lane ?? "both"}
            href={props.laneHref(lane)}
            aria-current={lane === timeline.lane ? "page" : undefined}
            className="flex h-6.5 items-center justify-center border-r border-(--border) px-2.5 whitespace-nowrap text-(--text-2) last:border-0 focus-visible:shadow-(--focus-inset) aria-[current]:bg-(--sunken) aria-[current]:font-medium aria-[current]:text-(--text) max-sm:h-11 max-sm:flex-1"
          >
            {lane ? LANE_WORDS[lane] : "Both lanes"}
          </Link>
        ))}
      </nav>
    </header>
  );
}
