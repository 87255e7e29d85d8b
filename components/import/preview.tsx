import { momentWords } from "@/components/events/time-words";
import { formatCount } from "@/components/integrity/words";
import { Button } from "@/components/ui/button";
import { classNames } from "@/components/ui/class-names";
import type { Preview, PreviewRow } from "@/lib/import/run-import";

type Event = NonNullable<PreviewRow["event"]>;

/** The first rows as the events they become, and why some become none. */
export function PreviewList(props: {
  preview: Preview | null;
  problem: string | null;
  isStale: boolean;
  /** Asks the server anew; null where the problem is not its answer. */
  onAgain: (() => void) | null;
}) {
  const { preview, problem, isStale, onAgain } = props;
  return (
    <section id="preview" aria-label="Preview" aria-busy={isStale} className="min-w-0 scroll-mt-4">
      <h2 className="text-[14px] font-semibold">Preview</h2>
      <p role="status" className="mt-0.5 min-h-5 text-[12px] text-(--text-2)">
        {problem
          ? "Nothing can be imported this way yet."
          : preview
            ? lookedWords(preview)
            : "Reading the first rows…"}
      </p>
      {problem && (
        <p role="alert" className="mt-1 break-words text-(--in-failed)">
          {problem}
        </p>
      )}
      {onAgain && (
        <Button className="mt-2" disabled={isStale} onClick={onAgain}>
          Try again
        </Button>
      )}
      {!problem && preview && preview.looked.repeats > 0 && (
        <p className="mt-1 text-(--in-fetch)">
          Rows with the identity of an earlier row are not stored. If they are events of their own,
          recognise rows by other columns.
        </p>
      )}
      {preview && (
        <ol
          aria-label="First rows"
          className={classNames(
            "mt-2 border-t border-(--border)",
            (isStale || Boolean(problem)) && "opacity-60",
          )}
        >
          {preview.rows.map((row) => (
            <Row key={row.number} row={row} />
          ))}
        </ol>
      )}
    </section>
  );
}

function lookedWords({ looked: { read, rejected, repeats }, isTooLarge }: Preview): string {
  if (isTooLarge) return "Too large to preview: it is read whole when it is imported.";
  if (read === 0) return "The file has no rows.";
  const parts = [
    rejected > 0 && `${formatCount(rejected)} ${rejected === 1 ? "is" : "are"} rejected`,
    repeats > 0 && `${formatCount(repeats)} ${repeats === 1 ? "repeats" : "repeat"} an earlier row`,
  ].filter((part) => part !== false);
  const rows = read === 1 ? "The first row" : `The first ${formatCount(read)} rows`;
  return parts.length === 0
    ? `${rows} can be imported.`
    : `${rows} looked at: ${parts.join(", ")}.`;
}

function Row({ row: { number, event, reasons, repeats } }: { row: PreviewRow }) {
  return (
    <li
      data-testid="preview-row"
      data-rejected={event === null || undefined}
      className="grid grid-cols-[44px_minmax(0,1fr)] gap-x-3 border-b border-(--border) py-2"
    >
      <span className="pt-px font-mono text-[12px] text-(--text-3)" title={`Line ${number}`}>
        <span className="sr-only">Line </span>
        {number}
      </span>{" "}
      {event ? (
        <div className="min-w-0">
          <Sentence event={event} />
          {repeats !== null && (
            <p className="text-[12px] text-(--in-fetch)">Repeats line {repeats}: not stored.</p>
          )}
        </div>
      ) : (
        <ul className="min-w-0">
          {reasons.map(({ column, cause }) => (
            <li key={`${column} ${cause}`} className="break-words">
              <span className="font-medium text-(--in-failed)">
                {column === null ? "Rejected" : `Rejected: column ${column}`}
              </span>{" "}
              <span className="text-(--text-2)">{cause}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

interface Unit {
  type?: unknown;
  id?: unknown;
  name?: unknown;
}

const unitName = ({ type, id, name }: Unit) => (name ? `${name} (${type} ${id})` : `${type} ${id}`);

function Sentence({ event }: { event: Event }) {
  const { action, occurredAt, actor, targets, context, metadata } = event;
  const { location, user_agent: agent } = context ?? {};
  const details = [
    typeof location === "string" && `from ${location}`,
    typeof agent === "string" && agent,
  ].filter((part) => typeof part === "string");
  return (
    <>
      <p className="flex flex-wrap gap-x-2">
        <span className="font-medium break-all">{action}</span>{" "}
        <time dateTime={occurredAt} className="text-(--text-2) tabular-nums">
          {momentWords(occurredAt, "utc")} UTC
        </time>
      </p>
      <p className="text-[12px] break-words text-(--text-2)">
        {[
          [unitName(actor), ...(targets.length > 0 ? [targets.map(unitName).join(", ")] : [])].join(
            " → ",
          ),
          ...details,
        ].join(" · ")}
      </p>
      {metadata && (
        <p className="truncate font-mono text-[11px] text-(--text-3)">
          {Object.entries(metadata)
            .map(
              ([key, value]) =>
                `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
            )
            .join("  ")}
        </p>
      )}
    </>
  );
}
