import { Button } from "@/components/ui/button";
import { useSight } from "./seen";
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
  const start = useSight()?.filter ? "Start of what you see of the log" : "Start of the log";
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
      {start}
      {props.isWhole ? "." : ": there is nothing older that matches."}
    </span>
  );
}
