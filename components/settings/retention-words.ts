import { count, formatDay } from "@/components/overview/words";
import type { RetentionOverview } from "@/lib/retention/schema";

/** "1 year", "90 days". */
export const periodWords = (days: number) => {
  const [value, unit] = days % 365 === 0 ? [days / 365, "year"] : [days, "day"];
  return `${count(value)} ${unit}${value === 1 ? "" : "s"}`;
};

const eventWords = (events: number) => `${count(events)} ${events === 1 ? "event" : "events"}`;

/** "23 Nov 2026, 14:02 UTC": deletions go back for years. */
export const momentWords = (iso: string) => `${formatDay(iso)}, ${iso.slice(11, 16)} UTC`;

/** Which period holds, and whose it is. */
export function policyWords({ policy }: RetentionOverview): string {
  const { days, source, graceDays } = policy;
  if (days === null) return "For ever: neither this organization nor the instance sets a period";
  const whose = source === "organization" ? "set here" : "the instance's default";
  const grace = graceDays > 0 ? `, and ${periodWords(graceDays)} of grace` : "";
  return `${periodWords(days)} from receipt, ${whose}${grace}`;
}

/** What goes next, and when. */
export function nextWords(overview: RetentionOverview): string {
  const { state, events, next, isAutomatic, holds } = overview;
  const isHeld = holds.some(({ releasedAt }) => releasedAt === null);
  switch (state) {
    case "kept":
      return "None";
    case "nothing":
      return next
        ? `${formatDay(next.at)}: ${eventWords(next.events)} of those that are here${isHeld ? ", if the legal hold is released by then" : ""}`
        : "None: there is no event yet";
    case "held":
      return `None while a legal hold is open: ${eventWords(events)} would go`;
    case "refused":
      return "None";
    case "behind":
      return `Waits for streams: ${eventWords(events)} would go`;
    case "due":
      return isAutomatic
        ? `Within the hour: ${eventWords(events)}`
        : `With the next run: ${eventWords(events)}`;
  }
}
