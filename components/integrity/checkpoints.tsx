import Link from "next/link";
import { CopyButton } from "@/components/ui/copy-button";
import { type CheckpointRow, WITNESS_NAME, type WitnessState } from "@/lib/integrity/schema";
import { formatCount, formatMoment } from "./words";

function Extends(props: { row: CheckpointRow }) {
  const { root, extends: older } = props.row;
  if (root === null)
    return <span className="font-medium text-(--in-failed)">✕ Not signed by this key</span>;
  if (!older) return <span className="text-(--text-3)">the first</span>;
  return older.isProven ? (
    <span className="text-(--in-verified)">✓ Extends {formatCount(older.size)}</span>
  ) : (
    <span className="font-medium text-(--in-failed)">
      ✕ {formatCount(older.size)} could not be proven to be part of it
    </span>
  );
}

/** Where checkpoints are published, how far, and what is in the way. */
function Witnesses(props: { states: WitnessState[] }) {
  if (props.states.length === 0)
    return (
      <p className="mt-2 max-w-[98ch] text-(--text-2)">
        No checkpoint leaves this host: who rules it could write another history and sign it. Set
        TRAILSEAL_WITNESS_DIR to a directory on another machine or TRAILSEAL_WITNESS_URL to a server
        that keeps objects, or keep a note from here.
      </p>
    );
  return (
    <ul className="mt-2 max-w-[98ch] text-(--text-2)" data-testid="witnesses">
      {props.states.map(({ kind, size, publishedAt, failingSince, error }) => (
        <li key={kind}>
          {publishedAt
            ? `Published to the ${WITNESS_NAME[kind]} up to ${formatCount(size)} events, last ${formatMoment(publishedAt)}; every verification compares what is there.`
            : `Nothing of this log is at the ${WITNESS_NAME[kind]} yet.`}
          {failingSince && (
            <strong className="font-medium text-(--in-fetch)">
              {" "}
              ! Failing since {formatMoment(failingSince)}: {error} Signing goes on.
            </strong>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Signed states of the log, newest first; each is shown to contain the one before it. */
export function Checkpoints(props: {
  rows: CheckpointRow[];
  olderHref: string | null;
  /** Empty where none is set up. */
  witnesses: WitnessState[];
}) {
  const { rows, olderHref } = props;
  if (rows.length === 0)
    return (
      <>
        <p className="text-(--text-2)">
          Nothing is signed yet. A checkpoint is signed within ten seconds of the first event, by
          the worker.
        </p>
        <Witnesses states={props.witnesses} />
      </>
    );
  return (
    <div
      className="relative overflow-x-auto"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
      tabIndex={0}
    >
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
            <th className="h-8 pr-4 text-right font-normal">Events</th>
            <th className="h-8 pr-4 font-normal">Signed</th>
            <th className="h-8 pr-4 font-normal max-sm:hidden">Root</th>
            <th className="h-8 pr-4 font-normal">Consistency</th>
            <th className="h-8 font-normal">
              <span className="sr-only">Note</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.size} className="h-8 border-b border-(--border)">
              <td className="pr-4 text-right font-mono text-[12px]">{formatCount(row.size)}</td>
              <td className="pr-4 font-mono text-[12px] whitespace-nowrap">
                {formatMoment(row.createdAt)}
              </td>
              <td className="pr-4 font-mono text-[12px] text-(--text-2) max-sm:hidden">
                {row.root ? `${row.root.slice(0, 16)}…` : ""}
              </td>
              <td className="pr-4 whitespace-nowrap">
                <Extends row={row} />
              </td>
              <td className="text-right">
                <CopyButton text={row.note} label={`Copy the note of ${row.size} events`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Witnesses states={props.witnesses} />
      {olderHref && (
        <p className="mt-2">
          <Link
            href={olderHref}
            className="underline decoration-(--border-control) underline-offset-3 max-sm:inline-block max-sm:py-3"
          >
            Older checkpoints
          </Link>
        </p>
      )}
    </div>
  );
}
