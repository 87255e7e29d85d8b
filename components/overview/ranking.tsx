import Link from "next/link";
import { formatCount } from "@/components/integrity/words";
import { changeWords } from "./words";

export interface RankedRow {
  key: string;
  label: string;
  isMono?: boolean;
  /** What a short label leaves out. */
  title?: string;
  events: number;
  /** The explorer with exactly these events. */
  href: string;
  /** In the period before; null where it was not counted. */
  before?: { events: number; href: string } | null;
  note?: string;
}

const LINK =
  "underline decoration-(--border-control) underline-offset-3 hover:decoration-(--text) max-sm:inline-flex max-sm:min-h-11 max-sm:items-center";

/** A number that leads to the events it counts; `cap` is where counting stopped. */
export function CountLink(props: { events: number; href: string; cap?: number | undefined }) {
  const { events, cap = Number.POSITIVE_INFINITY } = props;
  return (
    <Link href={props.href} prefetch={false} className={`${LINK} tabular-nums`}>
      {events > cap ? `${formatCount(cap)}+` : formatCount(events)}
    </Link>
  );
}

/** Bars of one list, each with its number and how it changed. */
export function Ranking(props: { rows: RankedRow[]; cap?: number }) {
  const { rows, cap } = props;
  const most = Math.max(1, ...rows.map(({ events }) => events));
  return (
    <ol className="border-t border-(--border)">
      {rows.map(({ key, label, isMono, title, events, href, before, note }) => (
        <li
          key={key}
          className="grid min-h-8 grid-cols-[minmax(0,1fr)_20%_4rem_3.5rem] items-center gap-3 max-sm:grid-cols-[minmax(0,1fr)_auto_3.5rem] border-b border-(--border) max-sm:min-h-11"
        >
          <span className={isMono ? "truncate font-mono text-[12px]" : "truncate"} title={title}>
            {label}
            {note && <span className="block truncate text-[12px] text-(--text-3)">{note}</span>}
          </span>
          <span aria-hidden="true" className="h-1.5 max-sm:hidden">
            <span
              className="block h-full bg-(--ch-1)"
              style={{ width: events === 0 ? 0 : `max(2px, ${(events / most) * 100}%)` }}
            />
          </span>
          <span className="text-right">
            <CountLink events={events} href={href} cap={cap} />
          </span>
          <span className="text-right text-[12px] text-(--text-2) tabular-nums">
            {before && <Change events={events} before={before} cap={cap} />}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** The change leads to the events it is measured against. */
function Change(props: {
  events: number;
  before: { events: number; href: string };
  cap?: number | undefined;
}) {
  const { events, before, cap = Number.POSITIVE_INFINITY } = props;
  if (before.events > cap) return <>down</>;
  const words = changeWords(events, before.events);
  if (before.events === 0) return <>{words}</>;
  const told = `${words} from ${formatCount(before.events)} in the period before`;
  return (
    <Link href={before.href} prefetch={false} aria-label={told} title={told} className={LINK}>
      {words}
    </Link>
  );
}
