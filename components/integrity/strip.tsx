"use client";

import { ZoomIn, ZoomOut } from "lucide-react";
import { useRouter } from "next/navigation";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import {
  cellsOf,
  type Range,
  STRETCH_WORDS,
  STRIP_CELLS,
  type Stretch,
  type StretchState,
  zoomed,
} from "./stretches";
import { formatCount, formatSeq } from "./words";

const WIDTH = STRIP_CELLS * 7.25;

const FILL: Partial<Record<StretchState, string>> = {
  verified: "var(--in-verified-line)",
  failed: "var(--in-failed-line)",
};
const STROKE: Partial<Record<StretchState, string>> = {
  joined: "var(--in-verified-line)",
  uncovered: "var(--in-uncovered-line)",
};

const arc = (from: number, to: number) => `M ${from} 32 Q ${(from + to) / 2} 50 ${to} 32`;

interface Props {
  /** Address of the page. */
  here: string;
  stretches: Stretch[];
  whole: Range;
  /** What is shown of it. */
  range: Range;
  /** Sizes of checkpoints, at most one for each cell. */
  marks: number[];
  /** Events below these are covered by a signature that the rows meet, and by a checkpoint that was published. */
  provenTo: number;
  witnessedTo: number;
}

/** The log from left to right: arrows walk along it, plus and minus zoom. */
export function Strip({ here, stretches, whole, range, marks, provenTo, witnessedTo }: Props) {
  const router = useRouter();
  const cells = cellsOf(stretches, range);
  const [chosen, setChosen] = useState<number | null>(null);
  const at = chosen === null ? null : Math.min(chosen, cells.length - 1);
  const span = range.to - range.from;
  const width = WIDTH / cells.length;
  const x = (size: number) => ((size - range.from) / span) * WIDTH;
  const isWhole = span === whole.to - whole.from;

  const show = (next: Range) => {
    const isAll = next.to - next.from === whole.to - whole.from;
    router.replace(isAll ? here : `${here}?from=${next.from}&to=${next.to}`, { scroll: false });
  };
  const zoom = (by: 1 | -1) => {
    const cell = cells[at ?? Math.floor(cells.length / 2)] as Stretch;
    const next = zoomed(range, whole, Math.floor((cell.from + cell.to) / 2), by);
    show(next);
    // The cell stays the one that is looked at.
    const share = (cell.from - next.from) / (next.to - next.from);
    setChosen(Math.round(share * Math.min(STRIP_CELLS, next.to - next.from)));
  };
  const move = (to: number) => {
    setChosen(Math.min(Math.max(to, 0), cells.length - 1));
    if (isWhole || (to >= 0 && to < cells.length)) return;
    const by =
      to < 0 ? -Math.min(span, range.from - whole.from) : Math.min(span, whole.to - range.to);
    show({ from: range.from + by, to: range.to + by });
    if (by !== 0) setChosen(to < 0 ? cells.length - 1 : 0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const now = at ?? cells.length - 1;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1 }[event.key];
    if (next !== undefined) move(at === null ? now : next);
    else if (event.key === "Home") setChosen(0);
    else if (event.key === "End") setChosen(cells.length - 1);
    else if (event.key === "+" || event.key === "Enter") zoom(1);
    else if (event.key === "-") zoom(-1);
    else if (event.key === "Escape" && !isWhole) show(whole);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const cellUnder = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.floor(((event.clientX - box.left) / box.width) * cells.length);
  };

  const describe = (cell: Stretch) => {
    const signed = marks.filter((size) => size > cell.from && size <= cell.to).at(-1);
    const events =
      cell.to - cell.from === 1
        ? formatSeq(cell.from)
        : `${formatSeq(cell.from)} to ${formatSeq(cell.to - 1)}`;
    const checkpoint =
      signed === undefined ? "" : `, a checkpoint of ${formatCount(signed)} events`;
    return `${events}: ${STRETCH_WORDS[cell.state].toLowerCase()}${checkpoint}`;
  };
  const current = cells[at ?? cells.length - 1] as Stretch;
  return (
    <>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`Chain from ${formatSeq(range.from)} to ${formatSeq(range.to - 1)}. Arrows move, plus and minus zoom, Escape shows the whole log.`}
        aria-valuemin={0}
        aria-valuemax={cells.length - 1}
        aria-valuenow={at ?? cells.length - 1}
        aria-valuetext={describe(current)}
        data-testid="chain-strip"
        onKeyDown={onKeyDown}
        onPointerMove={(event) => setChosen(Math.max(cellUnder(event), 0))}
        onPointerLeave={(event) =>
          document.activeElement !== event.currentTarget && setChosen(null)
        }
        onDoubleClick={() => zoom(1)}
        className="mt-3"
      >
        <svg
          viewBox={`0 0 ${WIDTH} 44`}
          preserveAspectRatio="none"
          className="block h-11 w-full overflow-visible"
          aria-hidden="true"
        >
          {cells.map(({ from, state }, cell) => (
            <rect
              key={from}
              x={cell * width + 0.75}
              y={state === "failed" ? 0 : 5}
              width={Math.max(width - 1.5, 0.5)}
              height={state === "failed" ? 24 : 14}
              fill={FILL[state] ?? "none"}
              stroke={STROKE[state]}
              strokeDasharray={state === "uncovered" ? "2 2" : undefined}
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {at !== null && (
            <rect
              x={at * width}
              y={-2}
              width={width}
              height={28}
              fill="none"
              stroke="var(--text)"
              vectorEffect="non-scaling-stroke"
            />
          )}
          {marks.slice(1).map((size, index) => (
            // From one checkpoint to the next: the same tree, grown.
            <path
              key={size}
              d={arc(x(marks[index] as number), x(size))}
              fill="none"
              stroke={size <= provenTo ? "var(--in-verified-line)" : "var(--in-pending-line)"}
              strokeDasharray={size <= provenTo ? undefined : "3 3"}
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {marks.map((size) => (
            <line
              key={size}
              x1={x(size)}
              x2={x(size)}
              y1={size <= witnessedTo ? 22 : 27}
              y2={32}
              stroke="var(--text-2)"
              strokeWidth={size <= witnessedTo ? 2 : 1}
              vectorEffect="non-scaling-stroke"
            />
          ))}
        </svg>
      </div>
      <div className="mt-1 flex items-center gap-3 font-mono text-[11px] text-(--text-3)">
        <span>{formatSeq(range.from)}</span>
        <span className="min-w-0 flex-1 truncate text-center font-sans text-[12px] text-(--text-2)">
          {at !== null && describe(current)}
        </span>
        <span>{formatSeq(range.to - 1)}</span>
        <span className="flex gap-1">
          {!isWhole && (
            <Button variant="quiet" onClick={() => show(whole)}>
              Whole log
            </Button>
          )}
          <Button
            icon
            variant="quiet"
            aria-label="Zoom out"
            disabled={isWhole}
            onClick={() => zoom(-1)}
          >
            <ZoomOut size={14} aria-hidden="true" />
          </Button>
          <Button icon variant="quiet" aria-label="Zoom in" onClick={() => zoom(1)}>
            <ZoomIn size={14} aria-hidden="true" />
          </Button>
        </span>
      </div>
    </>
  );
}
