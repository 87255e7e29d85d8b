import type { Verdict } from "@/lib/integrity/schema";
import { formatCount, formatSeq } from "./words";

/** Cells of the strip, and the most checkpoints it marks. */
export const STRIP_CELLS = 160;
const CELL_WIDTH = 7.25;
const WIDTH = STRIP_CELLS * CELL_WIDTH;

type CellState = "verified" | "failed" | "joined" | "uncovered";

const FILL: Record<CellState, string> = {
  verified: "var(--in-verified-line)",
  failed: "var(--in-failed-line)",
  joined: "none",
  uncovered: "none",
};

const STROKE: Record<CellState, string> = {
  verified: "none",
  failed: "none",
  joined: "var(--in-verified-line)",
  uncovered: "var(--in-uncovered-line)",
};

/** The worst state of the events from `from` up to `to`, exclusive. */
function cellState(verdict: Verdict, bad: number[], from: number, to: number): CellState {
  if (bad.some((seq) => seq >= from && seq < to)) return "failed";
  const end = verdict.last_seq === null ? verdict.first_seq : verdict.last_seq + 1;
  if (to > end) return "uncovered";
  return verdict.first_bad_seq !== null && from > verdict.first_bad_seq ? "joined" : "verified";
}

/** The log from left to right; where several events share a cell, the cell shows the worst of them. */
export function ChainStrip(props: {
  verdict: Verdict;
  nextSeq: number;
  /** Sizes of checkpoints, at most one for each cell. */
  marks: number[];
}) {
  const { verdict } = props;
  const first = verdict.first_seq;
  const end = Math.max(props.nextSeq, (verdict.first_bad_seq ?? 0) + 1, first + 1);
  const cells = Math.min(STRIP_CELLS, end - first);
  const width = WIDTH / cells;
  const bad = verdict.findings.map((finding) => finding.seq).filter((seq) => seq !== null);
  const at = (cell: number) => first + Math.floor(((end - first) * cell) / cells);
  const states = Array.from({ length: cells }, (_, cell) =>
    cellState(verdict, bad, at(cell), at(cell + 1)),
  );
  const perCell = Math.max(1, Math.round((end - first) / cells));
  const failed = states.filter((state) => state === "failed").length;
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
      <svg
        viewBox={`0 0 ${WIDTH} 32`}
        preserveAspectRatio="none"
        className="mt-3 block h-8 w-full overflow-visible"
        role="img"
        aria-label={`Chain from ${formatSeq(first)} to ${formatSeq(end - 1)}: ${failed === 0 ? "no cell failed" : `${failed} of ${cells} cells failed`}.`}
      >
        {states.map((state, cell) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its position.
            key={cell}
            x={cell * width + 0.75}
            y={state === "failed" ? 0 : 5}
            width={Math.max(width - 1.5, 0.5)}
            height={state === "failed" ? 24 : 14}
            fill={FILL[state]}
            stroke={STROKE[state]}
            strokeDasharray={state === "uncovered" ? "2 2" : undefined}
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {props.marks.map((size) => (
          <line
            key={size}
            x1={((size - first) / (end - first)) * WIDTH}
            x2={((size - first) / (end - first)) * WIDTH}
            y1={26}
            y2={32}
            stroke="var(--text-2)"
            vectorEffect="non-scaling-stroke"
          />
        ))}
      </svg>
      <div className="mt-2 flex justify-between font-mono text-[11px] text-(--text-3)">
        <span>{formatSeq(first)}</span>
        <span>{formatSeq(end - 1)}</span>
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-[12px] text-(--text-2)">
        <LegendItem className="bg-(--in-verified-line)">Verified</LegendItem>
        {!verdict.ok && (
          <>
            <LegendItem className="bg-(--in-failed-line)">Failed</LegendItem>
            <LegendItem className="border border-(--in-verified-line)">
              After the first break
            </LegendItem>
          </>
        )}
        {props.marks.length > 0 && (
          <LegendItem className="w-px! bg-(--text-2)">Signed checkpoint</LegendItem>
        )}
        {states.includes("uncovered") && (
          <LegendItem className="border border-dashed border-(--in-uncovered-line)">
            Recorded since
          </LegendItem>
        )}
      </ul>
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
