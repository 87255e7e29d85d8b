import Link from "next/link";
import { count, formatDay } from "./words";

interface Day {
  from: string;
  events: number;
  href: string;
}

const WIDTH = 10;
const HEIGHT = 100;

/** A bar for each day, as a link. The table below it is the same for the keyboard and for screen readers. */
export function DayBars(props: { days: Day[] }) {
  const { days } = props;
  const most = Math.max(1, ...days.map(({ events }) => events));
  const [first, last] = [days[0], days.at(-1)];
  return (
    <>
      <div aria-hidden="true" className="mt-3">
        <svg
          aria-hidden="true"
          viewBox={`0 0 ${days.length * WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className="block h-(--histogram) w-full border-b border-(--border-strong)"
        >
          {[0.5, HEIGHT / 2].map((y) => (
            <path
              key={y}
              d={`M0 ${y}H${days.length * WIDTH}`}
              stroke="var(--ch-grid)"
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {days.map(({ from, events, href }, at) => {
            const height = events === 0 ? 0 : Math.max(2, (events / most) * HEIGHT);
            return (
              <Link key={from} href={href} prefetch={false} tabIndex={-1} className="group">
                <title>{`${formatDay(from)}: ${count(events)}`}</title>
                <rect x={at * WIDTH} width={WIDTH} height={HEIGHT} fill="transparent" />
                <rect
                  x={at * WIDTH + 0.6}
                  y={HEIGHT - height}
                  width={WIDTH - 1.2}
                  height={height}
                  className="fill-(--ch-1) group-hover:fill-(--ch-1-strong)"
                />
              </Link>
            );
          })}
        </svg>
        <p className="mt-1 flex justify-between font-mono text-[11px] text-(--text-3)">
          <span>{first && formatDay(first.from)}</span>
          <span>most on a day: {count(most)}</span>
          <span>{last && formatDay(last.from)}</span>
        </p>
      </div>
      <details className="mt-2 text-[12px]">
        <summary className="w-fit cursor-pointer py-1 text-(--text-2) max-sm:py-3.5">
          Day by day
        </summary>
        <ol className="grid max-h-80 gap-x-8 overflow-auto sm:grid-cols-3 lg:grid-cols-5">
          {days.toReversed().map(({ from, events, href }) => (
            <li key={from}>
              <Link
                href={href}
                prefetch={false}
                className="flex min-h-7 items-center justify-between border-b border-(--border) px-1 hover:bg-(--hover) max-sm:min-h-11"
              >
                <span className="text-(--text-2)">{formatDay(from)}</span>
                <span className="tabular-nums">{count(events)}</span>
              </Link>
            </li>
          ))}
        </ol>
      </details>
    </>
  );
}
