"use client";

import { type KeyboardEvent, type PointerEvent, useState } from "react";
import type { Counted } from "@/lib/events/facets";
import { type EventSearch, type TimeRange, toSearchParams } from "@/lib/events/filter/url";
import type { Histogram as Buckets } from "@/lib/events/histogram";
import type { TrailMarks } from "@/lib/integrity/schema";
import { coverage, describe, labels, ticks } from "./histogram-words";
import { useFetched } from "./use-fetched";
import { useZone, zoneTitle } from "./zone";

const HEIGHT = 72;
const DRAG_PX = 4;

interface Props {
  organizationId: string;
  search: EventSearch;
  /** Another one means that the events were read anew. */
  version: unknown;
  onTime(time: TimeRange): void;
}

/** Events over time, above the list: drag or Shift and arrows choose a stretch. */
export function Histogram(props: Props) {
  const zone = useZone();
  const params = toSearchParams({ ...props.search, event: null, after: null, before: null });
  params.set("tz", zoneTitle(zone));
  const { data, isStale, failure, retry } = useFetched<{
    histogram: Buckets | null;
    trail: TrailMarks | null;
  }>(`/o/${props.organizationId}/events/histogram?${params}`, props.version);
  if (failure)
    return (
      <p
        role="alert"
        className="shrink-0 border-b border-(--border) px-4 py-2 text-[12px] text-(--in-fetch) max-sm:hidden"
      >
        Could not count events over time. {failure.message}{" "}
        {failure.requestId && `Request ${failure.requestId}. `}
        <button type="button" className="underline" onClick={retry}>
          Retry
        </button>
      </p>
    );
  if (data && !data.histogram) return null;
  return (
    <div className="h-[126px] shrink-0 border-b border-(--border) px-3 pt-2 max-sm:hidden">
      {data?.histogram && (
        <Chart
          key={data.histogram.bounds[0]}
          histogram={data.histogram}
          trail={data.trail}
          isStale={isStale}
          onTime={props.onTime}
        />
      )}
    </div>
  );
}

/** The first bucket that was counted whole. */
function firstCounted(bounds: readonly number[], counted: Counted): number {
  if (counted.kind === "all") return 0;
  const backTo = Date.parse(counted.backTo);
  const index = bounds.findIndex((bound) => bound > backTo);
  return index < 0 ? bounds.length - 1 : index;
}

function Chart({
  histogram,
  trail,
  isStale,
  onTime,
}: {
  histogram: Buckets;
  trail: TrailMarks | null;
  isStale: boolean;
  onTime(time: TimeRange): void;
}) {
  const { bounds, counts, failed, counted, failedCounted, zone } = histogram;
  const size = counts.length;
  /** The bucket under the mouse or the keyboard, and where a stretch that is being chosen began. */
  const [at, setAt] = useState<number | null>(null);
  const [anchor, setAnchor] = useState<number | null>(null);
  const [start, setStart] = useState<{ index: number; x: number } | null>(null);
  const most = Math.max(...counts, 1);
  const sum = counts.reduce((total, count) => total + count, 0);
  const sumFailed = failed.reduce((total, count) => total + count, 0);
  const unknown = firstCounted(bounds, counted);
  const chosen =
    at !== null && anchor !== null ? ([Math.min(at, anchor), Math.max(at, anchor)] as const) : null;
  const words = labels(bounds, zone);
  const floor = shareOf(bounds, histogram.floorMs);
  const hasFloor = floor > 0 && floor < 1;

  const apply = (from: number, to: number) =>
    onTime({ kind: "absolute", from: iso(bounds[from]), to: iso(bounds[to + 1]) });
  const indexOf = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * size);
    return Math.min(Math.max(index, 0), size - 1);
  };
  const cancel = () => {
    setAnchor(null);
    setStart(null);
  };

  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    setAt(indexOf(event));
    if (start && Math.abs(event.clientX - start.x) > DRAG_PX) setAnchor(start.index);
  };
  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    if (start && anchor !== null)
      apply(Math.min(anchor, indexOf(event)), Math.max(anchor, indexOf(event)));
    cancel();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const now = at ?? size - 1;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: size - 1 }[event.key];
    if (next !== undefined) {
      setAnchor(event.shiftKey ? (anchor ?? now) : null);
      setAt(at === null ? now : Math.min(Math.max(next, 0), size - 1));
    } else if (event.key === "Enter" && at !== null) apply(chosen?.[0] ?? at, chosen?.[1] ?? at);
    else if (event.key === "Escape" && (anchor !== null || start)) cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  /** Twice the time, around the middle of this one. */
  const zoomOut = () => {
    const [first, last] = [bounds[0] as number, bounds[size] as number];
    const half = (last - first) / 2;
    onTime({ kind: "absolute", from: iso(first - half), to: iso(last + half) });
  };

  const [from, to] = chosen ?? [at, at];
  const inside = from === null || to === null ? null : describe(histogram, words, from, to);
  return (
    <div className={isStale ? "opacity-60" : ""} aria-busy={isStale}>
      <p className="flex h-5 items-center gap-4 overflow-hidden text-[12px] whitespace-nowrap text-(--text-2)">
        <span>
          <b className="font-medium text-(--text)">{sum.toLocaleString("en-US")}</b>
          {counted.kind === "all" ? "" : "+"} events
          {hasFloor && `, kept since ${words.day(histogram.floorMs)}`}
        </span>
        {sumFailed > 0 && (
          <span className="flex items-center gap-1.5">
            <span aria-hidden="true" className="size-2 bg-(--ch-2)" />
            <b className="font-medium text-(--text)">{sumFailed.toLocaleString("en-US")}</b>
            {failedCounted.kind === "all" ? "" : "+"} denied or failed
          </span>
        )}
        {trail && <TrailWords trail={trail} />}
        <span className="ml-auto truncate text-(--text-3)">
          {inside ?? coverage(counted, failedCounted, zone)}
        </span>
      </p>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`Events over time: ${sum.toLocaleString("en-US")} in ${size} steps. Arrows move, Shift and arrows choose a stretch, Enter shows it.`}
        aria-valuemin={0}
        aria-valuemax={size - 1}
        aria-valuenow={at ?? size - 1}
        aria-valuetext={inside ?? describe(histogram, words, size - 1, size - 1)}
        data-testid="histogram"
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setStart({ index: indexOf(event), x: event.clientX });
          setAnchor(null);
        }}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={cancel}
        onPointerLeave={() => !start && anchor === null && setAt(null)}
        onDoubleClick={zoomOut}
        onKeyDown={onKeyDown}
        onBlur={cancel}
        className="relative mt-1 cursor-crosshair touch-none"
        style={{ height: HEIGHT }}
      >
        {unknown > 0 && (
          <span
            aria-hidden="true"
            className="absolute inset-y-0 left-0 bg-[repeating-linear-gradient(135deg,var(--border-strong)_0_1px,transparent_1px_6px)]"
            style={{ width: `${(unknown / size) * 100}%` }}
          />
        )}
        <svg
          viewBox={`0 0 ${size} ${HEIGHT}`}
          preserveAspectRatio="none"
          className="absolute inset-0 size-full"
          aria-hidden="true"
        >
          {[0, HEIGHT / 2].map((y) => (
            <rect key={y} x={0} y={y} width={size} height={1} className="fill-(--ch-grid)" />
          ))}
          {from !== null && to !== null && (
            <rect
              x={from}
              y={0}
              width={to - from + 1}
              height={HEIGHT}
              className={chosen ? "fill-(--selected)" : "fill-(--hover)"}
            />
          )}
          {counts.map((count, index) => {
            const height = Math.max((count / most) * (HEIGHT - 6), count > 0 ? 1.5 : 0);
            const bad = Math.max(
              ((failed[index] ?? 0) / most) * (HEIGHT - 6),
              failed[index] ? 2 : 0,
            );
            const isIn = from !== null && to !== null && index >= from && index <= to;
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a bucket is its place.
              <g key={index}>
                <rect
                  x={index + 0.08}
                  y={HEIGHT - height}
                  width={0.84}
                  height={height}
                  className={isIn ? "fill-(--ch-1-strong)" : "fill-(--ch-1)"}
                />
                {bad > 0 && (
                  <rect
                    x={index + 0.08}
                    y={HEIGHT - height}
                    width={0.84}
                    height={bad}
                    className="fill-(--ch-2)"
                  />
                )}
              </g>
            );
          })}
        </svg>
        {hasFloor && (
          <span
            className="absolute inset-y-0 border-l-2 border-dotted border-(--border-control)"
            style={{ left: `${floor * 100}%` }}
          />
        )}
      </div>
      <div
        aria-hidden="true"
        className="relative h-5 pt-1.5 text-[11px] leading-none text-(--text-3)"
      >
        {trail && <TrailLine bounds={bounds} trail={trail} />}
        {ticks(bounds).map((index) => (
          <span
            key={index}
            className="absolute -translate-x-1/2 whitespace-nowrap"
            style={{ left: `${(index / size) * 100}%` }}
          >
            {words.short(bounds[index] as number)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Where a time lies, as a share of the width. */
function shareOf(bounds: readonly number[], atMs: number): number {
  const next = bounds.findIndex((bound) => bound > atMs);
  if (next <= 0) return next === 0 ? 0 : 1;
  const [start, end] = [bounds[next - 1] as number, bounds[next] as number];
  return (next - 1 + (atMs - start) / (end - start)) / (bounds.length - 1);
}

/** The baseline: solid where everything is verified and signed, a tick for checkpoints, a cross at a break. */
function TrailLine({ bounds, trail }: { bounds: readonly number[]; trail: TrailMarks }) {
  const size = bounds.length - 1;
  const open = trail.openFromMs === null ? 1 : shareOf(bounds, trail.openFromMs);
  const atMs = trail.broken?.atMs ?? null;
  const ticks = (isOpen: boolean) =>
    trail.checkpoints
      .filter((at) => at + 0.5 > open * size === isOpen)
      .map((at) => `M${at + 0.5} 0V6`)
      .join("");
  return (
    <>
      <svg
        viewBox={`0 0 ${size} 6`}
        preserveAspectRatio="none"
        aria-hidden="true"
        className="absolute inset-x-0 top-0 h-1.5 w-full overflow-visible [&>*]:stroke-[1.5] [&>*]:[vector-effect:non-scaling-stroke]"
      >
        <path d={`M0 3H${open * size}${ticks(false)}`} className="stroke-(--in-verified-line)" />
        <path
          d={`M${open * size} 3H${size}`}
          strokeDasharray="2 2"
          className="stroke-(--in-pending-line)"
        />
        <path d={ticks(true)} className="stroke-(--in-pending-line)" />
      </svg>
      {atMs !== null && (
        <span
          className="absolute -top-[3px] -translate-x-1/2 bg-(--surface) px-0.5 font-bold text-(--in-failed)"
          style={{ left: `${shareOf(bounds, atMs) * 100}%` }}
        >
          ✕
        </span>
      )}
    </>
  );
}

function TrailWords({ trail: { broken, checkpoints, openFromMs } }: { trail: TrailMarks }) {
  if (broken)
    return (
      <b className="font-medium text-(--in-failed)">
        ✕ broken{broken.seq === null ? "" : ` at #${broken.seq.toLocaleString("en-US")}`}
      </b>
    );
  const words = [
    ...(openFromMs === null ? ["verified"] : []),
    ...(checkpoints.length > 0 ? ["checkpoints"] : []),
  ];
  if (words.length === 0) return null;
  return (
    <span className="flex items-center gap-1.5">
      <svg
        viewBox="0 0 12 6"
        className="w-3 stroke-(--in-verified-line) stroke-[1.5]"
        aria-hidden="true"
      >
        <path d={checkpoints.length > 0 ? "M0 3H12M6 0V6" : "M0 3H12"} />
      </svg>
      {words.join(", ")}
    </span>
  );
}

function iso(atMs: number | undefined): string {
  const [least, most] = [
    Date.parse("0001-01-01T00:00:00Z"),
    Date.parse("9999-12-31T23:59:59.999Z"),
  ];
  return new Date(Math.min(Math.max(atMs ?? most, least), most)).toISOString();
}
