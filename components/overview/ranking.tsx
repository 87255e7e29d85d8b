import Link from "next/link";
import { changeWords, count } from "./words";

export interface RankedRow {
  key: string;
  label: string;
  isMono?: boolean;
  /** What a short label leaves out. */
  title?: string;
  note?: string;
  /** In the period, and in the one before; null where that was not counted. */
  events: number;
  before: number | null;
  /** The explorer with exactly these events; null where no filter says which. */
  href: string | null;
  beforeHref: string;
}

const LINK =
  "tabular-nums underline decoration-(--border-control) underline-offset-3 hover:decoration-(--text) max-sm:inline-flex max-sm:min-h-11 max-sm:items-center";

/** A number that leads to the events it counts; `cap` is where counting stopped. */
export function CountLink(props: {
  events: number;
  href: string | null;
  cap?: number | undefined;
}) {
  const { events, href, cap = Number.POSITIVE_INFINITY } = props;
  const words = events > cap ? `${count(cap)}+` : count(events);
  if (href === null) return <span className="tabular-nums">{words}</span>;
  return (
    <Link href={href} prefetch={false} className={LINK}>
      {words}
    </Link>
  );
}

/** Bars of one list, each with its number and how it changed. */
export function Ranking({ rows, cap }: { rows: RankedRow[]; cap?: number }) {
  if (rows.length === 0) return null;
  const most = Math.max(1, ...rows.map(({ events }) => events));
  return (
    <ol className="border-t border-(--border)">
      {rows.map((row) => (
        <li
          key={row.key}
          className="grid min-h-8 grid-cols-[minmax(0,1fr)_20%_4rem_3.5rem] items-center gap-3 border-b border-(--border) max-sm:grid-cols-[minmax(0,1fr)_auto_3.5rem]"
        >
          <span
            className={`truncate ${row.isMono ? "font-mono text-[12px]" : ""}`}
            title={row.title}
          >
            {row.label}
            {row.note && (
              <span className="block font-sans text-[12px] text-(--text-3)">{row.note}</span>
            )}
          </span>
          <span aria-hidden="true" className="h-1.5 max-sm:hidden">
            <span
              className="block h-full bg-(--ch-1)"
              style={{ width: row.events && `max(2px, ${(row.events / most) * 100}%)` }}
            />
          </span>
          <span className="text-right">
            <CountLink events={row.events} href={row.href} cap={cap} />
          </span>
          <span className="text-right text-[12px] text-(--text-2)">
            <Change row={row} cap={cap} />
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Leads to the events that the change is measured against. */
function Change({ row, cap }: { row: RankedRow; cap?: number | undefined }) {
  const { events, before, beforeHref } = row;
  if (before === null) return null;
  if (before === 0) return changeWords(events, before);
  const isCapped = cap !== undefined && before > cap;
  const words = isCapped ? "fewer" : changeWords(events, before);
  const told = `${words} from ${count(isCapped ? cap : before)}${isCapped ? "+" : ""} in the period before`;
  return (
    <Link href={beforeHref} prefetch={false} aria-label={told} title={told} className={LINK}>
      {words}
    </Link>
  );
}
