import type { Verdict } from "@/lib/integrity/schema";
import { type Range, STRETCH_WORDS, STRIP_CELLS, type Stretch } from "./stretches";
import { Strip } from "./strip";
import { formatCount, formatSeq } from "./words";

/** The log from left to right; where several events share a cell, the cell shows the worst of them. */
export function ChainStrip(props: {
  here: string;
  verdict: Verdict;
  stretches: Stretch[];
  whole: Range;
  /** What is shown of it. */
  range: Range;
  /** Sizes of checkpoints, at most one for each cell. */
  marks: number[];
  /** The newest size that was published; 0 for none. */
  witnessedTo: number;
}) {
  const { verdict, stretches, whole, range, marks, witnessedTo } = props;
  const states = new Set(stretches.map(({ state }) => state));
  const perCell = Math.max(1, Math.round((range.to - range.from) / STRIP_CELLS));
  return (
    <section className="mt-5">
      <h2 className="flex flex-wrap items-baseline gap-x-2 text-[14px] font-semibold tracking-[-0.012em]">
        Chain
        <span className="text-[12px] font-normal tracking-normal text-(--text-3)">
          {perCell === 1
            ? "one cell is one event"
            : `one cell is about ${formatCount(perCell)} events and shows the worst of them`}
        </span>
      </h2>
      <Strip
        here={props.here}
        stretches={stretches}
        whole={whole}
        range={range}
        marks={marks}
        provenTo={verdict.proven_to}
        witnessedTo={witnessedTo}
      />
      <ul className="mt-1 flex flex-wrap gap-x-5 gap-y-1 text-[12px] text-(--text-2)">
        {states.has("verified") && (
          <LegendItem className="bg-(--in-verified-line)">{STRETCH_WORDS.verified}</LegendItem>
        )}
        {states.has("failed") && (
          <LegendItem className="h-4! bg-(--in-failed-line)">{STRETCH_WORDS.failed}</LegendItem>
        )}
        {states.has("joined") && (
          <LegendItem className="border border-(--in-verified-line)">
            {STRETCH_WORDS.joined}
          </LegendItem>
        )}
        {marks.some((size) => size <= witnessedTo) && (
          <LegendItem className="w-0.5! bg-(--text-2)">Signed and witnessed</LegendItem>
        )}
        {marks.some((size) => size > witnessedTo) && (
          <LegendItem className="h-1.5! w-px! bg-(--text-2)">Signed only</LegendItem>
        )}
        {marks.length > 1 && (
          <LegendItem className="h-1.5! rounded-b-full border border-t-0 border-(--in-verified-line)">
            Shown to extend the one before
          </LegendItem>
        )}
        {states.has("uncovered") && (
          <LegendItem className="border border-dashed border-(--in-uncovered-line)">
            {STRETCH_WORDS.uncovered}
          </LegendItem>
        )}
      </ul>
      <details className="mt-2 text-(--text-2)">
        <summary className="w-fit cursor-pointer underline decoration-(--border-control) underline-offset-3 select-none max-sm:py-2">
          As a table
        </summary>
        <table className="mt-1 border-collapse text-left">
          <thead>
            <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
              <th className="h-8 pr-6 font-normal">From</th>
              <th className="h-8 pr-6 font-normal">To</th>
              <th className="h-8 pr-6 text-right font-normal">Events</th>
              <th className="h-8 font-normal">State</th>
            </tr>
          </thead>
          <tbody>
            {stretches.map(({ from, to, state }) => (
              <tr key={from} className="h-8 border-b border-(--border)">
                <td className="pr-6 font-mono text-[12px]">{formatSeq(from)}</td>
                <td className="pr-6 font-mono text-[12px]">{formatSeq(to - 1)}</td>
                <td className="pr-6 text-right font-mono text-[12px]">{formatCount(to - from)}</td>
                <td className={state === "failed" ? "font-medium text-(--in-failed)" : ""}>
                  {STRETCH_WORDS[state]}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

function LegendItem(props: { className: string; children: string }) {
  return (
    <li className="inline-flex items-center gap-1.5">
      <span className={`size-2.5 ${props.className}`} aria-hidden="true" />
      {props.children}
    </li>
  );
}
