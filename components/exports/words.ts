import { columnLabel } from "@/components/events/column-label";
import { momentWords } from "@/components/events/time-words";
import { formatMoment } from "@/components/integrity/words";
import type { Export, ExportFormat, ExportState } from "@/lib/exports/schema";
import type { Pace } from "./pace";

export const FORMATS: Record<ExportFormat, { label: string; about: string }> = {
  csv: {
    label: "CSV",
    about: "For spreadsheets and reviewers. One row for each event.",
  },
  ndjson: {
    label: "NDJSON",
    about: "For programs. One line of JSON for each event, with every field it has.",
  },
  bundle: {
    label: "Integrity bundle",
    about:
      "For auditors. The whole log with its signed checkpoints, which proves by itself that nothing was changed or left out.",
  },
};

export const STATE_WORDS: Record<ExportState, string> = {
  queued: "Waiting",
  running: "In the making",
  ready: "Ready",
  failed: "Failed",
  cancelled: "Cancelled",
  expired: "Expired",
};

const count = new Intl.NumberFormat("en-US");

/** "1 event", "1,730 events". */
export const countEvents = (events: number): string =>
  `${count.format(events)} ${events === 1 ? "event" : "events"}`;

/** "612 B", "12.4 kB", "50.3 GB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const unit = Math.min(Math.floor(Math.log10(bytes) / 3), 4);
  return `${(bytes / 1_000 ** unit).toFixed(1)} ${["", "kB", "MB", "GB", "TB"][unit]}`;
}

/** "8 s", "12 min", "4 h 51 min". */
export function formatSpan(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The times that it holds, in UTC as the file has them. */
export function rangeWords(from: string | null, to: string | null): string {
  const [start, end] = [from, to].map((iso) => iso && `${momentWords(iso, "utc")} UTC`);
  if (start && end) return `${start} to before ${end}`;
  return start ? `From ${start} on` : end ? `Before ${end}` : "All time";
}

/** "seq, actor", or that nothing is left out. */
export function columnWords(columns: readonly string[] | null | undefined): string {
  return columns ? columns.map(columnLabel).join(", ") : "All fields";
}

/** How far it is, in parts; the time left only where the end is known. */
export function progressWords(one: Export, pace: Pace | undefined): string[] {
  const { events, total, bytes, reached } = one;
  const done =
    total === null ? countEvents(events) : `${count.format(events)} of ${countEvents(total)}`;
  const parts = [done, formatBytes(bytes)];
  const { eventsPerS } = pace ?? { eventsPerS: null };
  if (eventsPerS !== null) parts.push(`${count.format(Math.round(eventsPerS))} per second`);
  if (total === null && reached) parts.push(`back to ${formatMoment(reached)}`);
  if (total !== null && eventsPerS)
    parts.push(`about ${formatSpan(Math.max(0, total - events) / eventsPerS)} left`);
  return parts;
}

/** As a notice says it on any page. */
export function endWords({ state, format, events }: Export): string {
  const file = `${FORMATS[format].label} export`;
  if (state === "ready") return `${file} is ready: ${countEvents(events)}`;
  return state === "failed"
    ? `${file} failed: see Exports`
    : `${file}: ${STATE_WORDS[state].toLowerCase()}`;
}

const quoted = (key: string) => `--vkey '${key}'`;

/** The check of the file where it lies; the keys as this server has them, to be held against those handed over. */
export function verifyCommand(
  { format, fileName }: { format: ExportFormat; fileName: string },
  vkeys: readonly string[],
): string {
  const what = format === "bundle" ? "--bundle" : "--export";
  return `npx trailseal verify ${what} ${fileName} ${vkeys.map(quoted).join(" ")}`;
}
