"use client";

import { Button } from "@/components/ui/button";
import { SAMPLE_WORDS } from "@/lib/events/facets";
import type { EventFilter } from "@/lib/events/filter/ast";
import { removeClause } from "@/lib/events/filter/edit";
import { type EventSearch, type TimeRange, toSearchParams } from "@/lib/events/filter/url";
import type { Restored } from "@/lib/events/values";
import { describeClause } from "./describe-clause";
import { useFetched } from "./use-fetched";
import { clockOf, useZone } from "./zone";

/** An empty result that says what to let go of, and what each part would bring back. */
export function NoMatch(props: {
  organizationId: string;
  search: EventSearch;
  onFilter(filter: EventFilter): void;
  onTime(time: TimeRange): void;
}) {
  const { filter, time } = props.search;
  const params = toSearchParams({ ...props.search, event: null, after: null, before: null });
  const isPartial = filter.clauses.length > 0 || time.kind !== "all";
  const { data, failure, retry } = useFetched<{ restored: Restored[] }>(
    isPartial ? `/o/${props.organizationId}/events/restored?${params}` : null,
  );
  const part = (without: Restored["without"], words: string, onRemove: () => void) => (
    <li key={without} className="max-w-full">
      <Button
        onClick={onRemove}
        className="h-auto min-h-7 max-w-full flex-wrap justify-center py-1"
      >
        <span className="min-w-0 truncate font-mono text-[12px]">{words}</span>
        <span aria-hidden="true">×</span>
        <RestoredCount
          isAsked={failure === null}
          isAnswered={data !== null}
          found={data?.restored.find((restored) => restored.without === without)}
        />
      </Button>
    </li>
  );
  return (
    <div className="grid flex-1 content-start justify-items-center gap-3 px-4 py-16 text-center">
      <h2 className="text-[14px] font-semibold">No events match</h2>
      <p className="max-w-[60ch] text-(--text-2)">
        The whole log was searched{time.kind === "all" ? "" : " within the chosen time"}.{" "}
        {isPartial && "Without one of these there would be:"}
      </p>
      <ul className="flex max-w-full flex-wrap justify-center gap-2">
        {filter.clauses.map((clause, index) => {
          const { field, operator, value } = describeClause(clause);
          return part(index, `${field} ${operator} ${value}`.trim(), () =>
            props.onFilter(removeClause(filter, index)),
          );
        })}
        {time.kind !== "all" && part("time", "time", () => props.onTime({ kind: "all" }))}
      </ul>
      {failure && (
        <p role="alert" className="text-[12px] text-(--in-fetch)">
          Could not count. {failure.message} {failure.requestId && `Request ${failure.requestId}. `}
          <button type="button" className="underline" onClick={retry}>
            Retry
          </button>
        </p>
      )}
    </div>
  );
}

/** `31 events`, `4k+ events`, `at least 31, searched back to …`. */
function RestoredCount(props: {
  isAsked: boolean;
  isAnswered: boolean;
  found: Restored | undefined;
}) {
  const zone = useZone();
  if (!props.isAsked || (props.isAnswered && !props.found)) return null;
  if (!props.found) return <span className="text-(--text-3)">…</span>;
  const { matches, counted } = props.found;
  const number = counted.kind === "newest" ? SAMPLE_WORDS : matches.toLocaleString("en-US");
  const words = `${number} ${number === "1" ? "event" : "events"}`;
  const day = counted.kind === "searched" && clockOf(counted.backTo, zone).day;
  return (
    <span className="text-(--text-3) tabular-nums">
      {day ? `at least ${words}, searched back to ${day}` : words}
    </span>
  );
}
