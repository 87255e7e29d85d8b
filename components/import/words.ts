import type { Pace } from "@/components/exports/pace";
import { formatBytes, formatSpan } from "@/components/exports/words";
import { formatCount } from "@/components/integrity/words";
import type { DelimiterName } from "@/lib/import/delimiters";
import type { ImportFormat } from "@/lib/import/read-records";
import type { Import, ImportOutcome, ImportSource, ImportState } from "@/lib/import/schema";

export const STATE_WORDS: Record<ImportState, string> = {
  uploaded: "Not started",
  queued: "Waiting",
  running: "Importing",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export const FORMAT_WORDS: Record<ImportFormat, string> = {
  csv: "CSV",
  ndjson: "NDJSON",
  cloudtrail: "AWS CloudTrail",
};

export const DELIMITER_WORDS: Record<DelimiterName, string> = {
  comma: "Comma",
  semicolon: "Semicolon",
  tab: "Tab",
};

export function sourceWords({ format, isOwn }: ImportSource): string {
  return format === "csv" && isOwn ? "CSV of Trailseal" : FORMAT_WORDS[format];
}

/** "1 row", "1,730 rows". */
export const countRows = (rows: number): string =>
  `${formatCount(rows)} ${rows === 1 ? "row" : "rows"}`;

/** What became of the rows, in parts; what did not happen is left out, unless nothing did. */
export function outcomeWords(outcome: ImportOutcome): string[] {
  const { stored, already_there: known, repeats, rejected } = outcome;
  return [
    `${formatCount(stored)} imported`,
    known > 0 && `${formatCount(known)} already there`,
    repeats > 0 &&
      `${formatCount(repeats)} ${repeats === 1 ? "repeat" : "repeats"} of a row of this file`,
    rejected > 0 && `${formatCount(rejected)} rejected`,
  ].filter((part) => part !== false);
}

export interface Paces {
  rows: Pace;
  bytes: Pace;
}

/** How far it is, in parts. */
export function progressWords(one: Import, paces: Paces | undefined): string[] {
  const { outcome, readBytes, bytes } = one;
  const parts = [
    `${countRows(outcome.read)} read`,
    ...outcomeWords(outcome),
    `${formatBytes(readBytes)} of ${formatBytes(bytes)}`,
  ];
  const [rowsPerS, bytesPerS] = [paces?.rows.eventsPerS, paces?.bytes.eventsPerS];
  if (rowsPerS) parts.push(`${formatCount(Math.round(rowsPerS))} rows per second`);
  if (bytesPerS) parts.push(`about ${formatSpan(Math.max(0, bytes - readBytes) / bytesPerS)} left`);
  return parts;
}

/** As those hear it who do not see it. */
export function endWords({ fileName, state, outcome }: Import): string {
  return `${fileName}: ${STATE_WORDS[state].toLowerCase()}, ${outcomeWords(outcome).join(", ")}`;
}
