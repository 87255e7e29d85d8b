import { Button } from "@/components/ui/button";
import type { EventFilter } from "@/lib/events/filter/ast";
import { removeClause } from "@/lib/events/filter/edit";
import { serializeFilter } from "@/lib/events/filter/serialize";
import type { EventSearch } from "@/lib/events/filter/url";
import { describeClause } from "./describe-clause";
import type { Page } from "./use-event-list";
import { clockOf, useZone, zoneOffset } from "./zone";

interface ListEndProps {
  page: Pick<Page, "next" | "searchedTo">;
  failure: { message: string; requestId: string } | null;
  isLoading: boolean;
  /** Neither filter nor time leaves anything out. */
  isWhole: boolean;
  count: number;
  onContinue(): void;
}

/** Above the first row: what is newer is on its way. */
export function ListStart(props: { previous: string | null }) {
  if (!props.previous) return null;
  return (
    <p className="sticky left-0 px-4 py-2 text-[12px] text-(--text-3)">Loading newer events…</p>
  );
}

/** What the list says below its last row: more to come, how far it searched, or that this is all. */
export function ListEnd(props: ListEndProps) {
  const zone = useZone();
  const { page, failure } = props;
  if (failure) {
    return (
      <span role="alert" className="flex flex-wrap items-center gap-2 text-(--in-fetch)">
        Could not load the next events. {failure.message}{" "}
        {failure.requestId && `Request ${failure.requestId}.`}
        <Button onClick={props.onContinue}>Retry</Button>
      </span>
    );
  }
  if (page.searchedTo) {
    const { day, time } = clockOf(page.searchedTo, zone);
    return (
      <span className="flex flex-wrap items-center gap-2">
        {props.count === 0 ? "No match so far. " : ""}Searched back to {day} {time}{" "}
        {zoneOffset(zone, page.searchedTo)}.
        {page.next && (
          <Button onClick={props.onContinue} disabled={props.isLoading}>
            Continue
          </Button>
        )}
      </span>
    );
  }
  if (page.next) return <span>Loading…</span>;
  return (
    <span>
      {props.isWhole
        ? "Start of the log."
        : "Start of the log: there is nothing older that matches."}
    </span>
  );
}

/** An empty result that says what to let go of. */
export function NoMatch(props: { search: EventSearch; onFilter(filter: EventFilter): void }) {
  const { filter, time } = props.search;
  return (
    <div className="grid flex-1 content-start justify-items-center gap-3 px-4 py-16 text-center">
      <h2 className="text-[14px] font-semibold">No events match</h2>
      <p className="max-w-[60ch] text-(--text-2)">
        The whole log was searched{time.kind === "all" ? "" : " within the chosen time"}.{" "}
        {filter.clauses.length > 0 && "Remove a part of the filter to see more:"}
      </p>
      <ul className="flex flex-wrap justify-center gap-2">
        {filter.clauses.map((clause, index) => {
          const { field, operator, value } = describeClause(clause);
          return (
            <li key={serializeFilter({ clauses: [clause] })}>
              <Button onClick={() => props.onFilter(removeClause(filter, index))}>
                <span className="font-mono text-[12px]">
                  {`${field} ${operator} ${value}`.trim()}
                </span>{" "}
                ×
              </Button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
