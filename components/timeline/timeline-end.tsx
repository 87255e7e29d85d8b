import { clockOf, useZone, zoneOffset } from "@/components/events/zone";
import { Button } from "@/components/ui/button";
import type { TimelinePage } from "@/lib/events/timeline";
import type { TimelineBodyProps } from "./timeline-body";

/** What stands below the oldest row: how far the search came, that this is all, or that there is nothing. */
export function TimelineEnd(
  props: TimelineBodyProps & {
    count: number;
    page: TimelinePage | undefined;
    isLoading: boolean;
    onContinue(): void;
  },
) {
  const zone = useZone();
  const { page, timeline } = props;
  const { search, subject } = timeline;
  if (page?.searchedTo && page.next) {
    const { day, time } = clockOf(page.searchedTo, zone);
    return (
      <p className="flex flex-wrap items-center gap-2">
        {props.count === 0 && "No match so far. "}Searched back to {day} {time}{" "}
        {zoneOffset(zone, page.searchedTo)}.
        <Button onClick={props.onContinue} disabled={props.isLoading}>
          Continue
        </Button>
      </p>
    );
  }
  if (page?.next) return <p>Loading…</p>;
  if (props.count > 0 || timeline.at) return <p>Start of this timeline.</p>;
  const isNarrowed = search.time.kind !== "all" || search.filter.clauses.length > 0;
  const who = props.state.subject.name ?? subject.id;
  return (
    <>
      <p className="pt-4 text-(--text-2)">
        {timeline.lane === "done" || (!timeline.lane && subject.role === "target")
          ? `Nothing was done to ${who}`
          : `No events by ${who}`}
        {search.time.kind === "all" ? "" : " in this range"}
        {search.filter.clauses.length > 0 ? " match the filter" : ""}.
      </p>
      {isNarrowed && (
        <Button
          onClick={() =>
            props.go({ search: { ...search, q: "", time: { kind: "all" }, event: null } })
          }
        >
          All time, no filter
        </Button>
      )}
      {!isNarrowed && timeline.lane && (
        <Button onClick={() => props.go({ lane: null })}>Both lanes</Button>
      )}
    </>
  );
}
