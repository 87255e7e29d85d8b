import type { Period } from "@/lib/overview/period";

const day = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});

/** "23 Nov 2026", in UTC. */
export function formatDay(iso: string): string {
  return day.format(new Date(iso));
}

/** "23 Nov 2026, 14:02:31", in UTC. */
export function formatTime(iso: string): string {
  return `${formatDay(iso)}, ${iso.slice(11, 19)}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** "the last 30 days", else "11 Jun 2023 to 10 Jul 2023". */
export function periodWords({ range, days, from, to }: Period): string {
  if (range) return `the last ${days} days`;
  const last = new Date(Date.parse(to) - 1).toISOString();
  return days === 1 ? formatDay(from) : `${formatDay(from)} to ${formatDay(last)}`;
}

/** "+12 %", "−8 %", "±0 %"; "new" where there was nothing before; empty where there is nothing at all. */
export function changeWords(now: number, before: number): string {
  if (before === 0) return now === 0 ? "" : "new";
  const percent = Math.round(((now - before) / before) * 100);
  if (percent === 0) return now === before ? "±0 %" : now > before ? "<+1 %" : ">−1 %";
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent).toLocaleString("en-US")} %`;
}
