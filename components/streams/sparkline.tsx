import type { HalfHour } from "@/lib/streams/schema";
import { countEvents, formatCount } from "./words";

const STEP = 4.08;
const BAR = 3.1;
const HEIGHT = 24;
/** The most failures of a half hour are as high as this share of the most events. */
const FAILED_SHARE = 0.5;

const hour = (slot: string) => slot.slice(11, 16);

/** "1,730 events delivered in 24 hours. 12 requests failed, the last at 14:00 UTC." */
export function activityWords(halfHours: readonly HalfHour[]): string {
  const delivered = halfHours.reduce((sum, slot) => sum + slot.delivered, 0);
  const failed = halfHours.reduce((sum, slot) => sum + slot.failed, 0);
  const last = halfHours.findLast((slot) => slot.failed > 0);
  const failures = last
    ? `${formatCount(failed)} ${failed === 1 ? "request" : "requests"} failed, the last after ${hour(last.slot)} UTC.`
    : "No request failed.";
  return `${countEvents(delivered)} delivered in 24 hours. ${failures}`;
}

/** 48 half hours: events that were delivered as bars, requests that failed as outlines on top. */
export function Sparkline(props: { halfHours: readonly HalfHour[]; className?: string }) {
  const { halfHours } = props;
  const most = Math.max(1, ...halfHours.map((slot) => slot.delivered));
  const mostFailed = Math.max(1, ...halfHours.map((slot) => slot.failed));
  const shares = halfHours.map(
    ({ delivered, failed }) => delivered / most + (failed / mostFailed) * FAILED_SHARE,
  );
  const unit = HEIGHT / Math.max(FAILED_SHARE, ...shares);
  return (
    <svg
      viewBox={`0 0 ${STEP * 48} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={activityWords(halfHours)}
      className={props.className ?? "h-6 w-49"}
    >
      <title>{activityWords(halfHours)}</title>
      {halfHours.map(({ slot, delivered, failed }, at) => {
        const x = at * STEP;
        const height = delivered > 0 ? Math.max(1.5, (delivered / most) * unit) : 0;
        const failedHeight =
          failed > 0 ? Math.max(4, (failed / mostFailed) * FAILED_SHARE * unit) : 0;
        return (
          <g key={slot}>
            {height > 0 && (
              <rect x={x} y={HEIGHT - height} width={BAR} height={height} fill="var(--ch-1)" />
            )}
            {failedHeight > 0 && (
              <rect
                x={x + 0.5}
                y={HEIGHT - height - failedHeight + 0.5}
                width={BAR - 1}
                height={failedHeight - 1}
                fill="none"
                stroke="var(--ch-3)"
                vectorEffect="non-scaling-stroke"
              />
            )}
            {height + failedHeight === 0 && (
              <rect x={x} y={HEIGHT - 1} width={BAR} height={1} fill="var(--border-control)" />
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** What the bars mean. */
export function SparklineLegend() {
  return (
    <p aria-hidden="true" className="mt-2.5 flex gap-5 text-[12px] text-(--text-2)">
      <span className="flex items-center gap-1.5">
        <span className="size-2 bg-(--ch-1)" />
        delivered, per 30 min
      </span>
      <span className="flex items-center gap-1.5">
        <span className="size-2 border border-(--ch-3)" />
        failed
      </span>
      <span className="flex items-center gap-1.5">
        <span className="h-px w-2 bg-(--border-control)" />
        nothing sent
      </span>
    </p>
  );
}
