import { count, formatDay } from "@/components/overview/words";
import { formatBytes } from "@/components/streams/words";
import { buttonClasses } from "@/components/ui/button";
import type { RetentionRun } from "@/lib/retention/schema";
import { momentWords } from "./retention-words";

interface Props {
  runs: RetentionRun[];
  /** Where older ones begin; null: there are none. */
  older: number | null;
  /** These are not the newest. */
  isOlder: boolean;
}

const outcomeOf = ({ finishedAt, undelivered }: RetentionRun) =>
  [
    finishedAt ? "Done" : "Not finished",
    ...(undelivered.length > 0 ? [`not delivered by ${undelivered.join(", ")}`] : []),
  ].join("; ");

/** What was deleted, newest first. */
export function DeletionHistory({ runs, older, isOlder }: Props) {
  if (runs.length === 0)
    return (
      <p className="text-(--text-3)">
        {isOlder ? "There are no older ones." : "Nothing was deleted yet."}
      </p>
    );
  return (
    <>
      <table className="w-full max-w-[880px] border-collapse text-left max-sm:block">
        <thead className="max-sm:sr-only">
          <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
            <th className="h-8 pr-4 font-normal">When</th>
            <th className="h-8 pr-4 font-normal">Received before</th>
            <th className="h-8 pr-4 text-right font-normal">Events</th>
            <th className="h-8 pr-4 text-right font-normal">Freed</th>
            <th className="h-8 pr-4 font-normal">The log begins at</th>
            <th className="h-8 font-normal">Outcome</th>
          </tr>
        </thead>
        <tbody className="max-sm:block">
          {runs.map((run) => (
            <tr
              key={run.size}
              className="h-8 border-b border-(--border) max-sm:grid max-sm:h-auto max-sm:grid-cols-2 max-sm:gap-x-4 max-sm:py-2"
            >
              <td className="pr-4 whitespace-nowrap max-sm:col-span-2 max-sm:font-medium">
                {momentWords(run.startedAt)}
              </td>
              <td className="pr-4 whitespace-nowrap max-sm:text-(--text-2)">
                <span className="sm:hidden">before </span>
                {formatDay(run.before)}
              </td>
              <td className="pr-4 text-right tabular-nums max-sm:pr-0">
                {count(run.deleted)}
                <span className="sm:hidden"> events</span>
              </td>
              <td className="pr-4 text-right whitespace-nowrap tabular-nums max-sm:order-last max-sm:pr-0">
                {formatBytes(run.bytes)}
              </td>
              <td className="pr-4 tabular-nums max-sm:text-(--text-2)">
                <span className="sm:hidden">begins at </span>#{count(run.size)}
              </td>
              <td className="max-sm:order-last max-sm:col-span-2 max-sm:text-(--text-2)">
                {outcomeOf(run)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="mt-3 flex gap-2">
        {isOlder && (
          <a href="?#deletions" className={buttonClasses({})}>
            Newest
          </a>
        )}
        {older !== null && (
          <a href={`?deletions_below=${older}#deletions`} className={buttonClasses({})}>
            Older
          </a>
        )}
      </div>
    </>
  );
}
