import { CHECKPOINT_REFUSED, LOST_UNNAMED } from "@/lib/streams/problems";
import type { StreamAttempt, StreamLane, StreamState, StreamSummary } from "@/lib/streams/schema";
import type { RangeEstimate } from "@/lib/streams/work-schema";

export const STATE_WORDS: Record<StreamState, string> = {
  active: "Active",
  degraded: "Degraded",
  error: "Failing",
  paused: "Paused",
  disabled: "Switched off",
};

const count = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return count.format(value);
}

/** "1 event", "1,730 events". */
export function countEvents(value: number): string {
  return `${formatCount(value)} ${value === 1 ? "event" : "events"}`;
}

/** "About 1,200 of 48,112 events." */
export function estimateWords({ events, matching }: RangeEstimate): string {
  const { count: taken, precision } = matching;
  if (precision === "exact" && taken === events) return `${countEvents(events)}.`;
  const words = { exact: "", about: "About ", at_least: "At least " }[precision];
  return `${words}${formatCount(taken)} of ${countEvents(events)}.`;
}

/** "0.4 s", "48 s", "4 h 51 min", "3 d 2 h". */
export function formatSpan(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: "UTC",
});

/** "23 Nov, 14:02:31 UTC". */
export function formatMoment(iso: string): string {
  return `${moment.format(new Date(iso))} UTC`;
}

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });

/** "expires 1 Jan 2027", "expired 1 Jan 2026". */
export function expiryWords(iso: string, nowMs = Date.now()): string {
  const expiresAt = new Date(iso);
  return `${expiresAt.getTime() <= nowMs ? "expired" : "expires"} ${day.format(expiresAt)}`;
}

const NUMBERS = [
  "No",
  "One",
  "Two",
  "Three",
  "Four",
  "Five",
  "Six",
  "Seven",
  "Eight",
  "Nine",
  "Ten",
];

function numberWord(value: number): string {
  return NUMBERS[value] ?? String(value);
}

const VERBS: [states: StreamState[], one: string, many: string][] = [
  [["active"], "delivers", "deliver"],
  [["degraded"], "retries", "retry"],
  [["error"], "fails", "fail"],
  [["paused"], "is paused", "are paused"],
  [["disabled"], "is switched off", "are switched off"],
];

/** "Three streams deliver, one fails". */
export function listSentence(streams: StreamSummary[]): string {
  const parts = VERBS.flatMap(([states, one, many]) => {
    const number = streams.filter(({ state }) => states.includes(state)).length;
    return number === 0 ? [] : [{ number, verb: number === 1 ? one : many }];
  });
  return parts
    .map(({ number, verb }, position) => {
      const noun = number === 1 ? " stream" : " streams";
      const word = numberWord(number);
      return position === 0 ? `${word}${noun} ${verb}` : `${word.toLowerCase()} ${verb}`;
    })
    .join(", ");
}

/** Problems that are told while delivery goes on. */
const WARNINGS = [LOST_UNNAMED, CHECKPOINT_REFUSED];

/** What is said after "Last error": nothing of one that stands. */
export function errorStanding(
  stream: StreamSummary,
): "" | "recovered" | "before the pause" | "delivery goes on" {
  if (stream.failures > 0) return stream.state === "paused" ? "before the pause" : "";
  return WARNINGS.includes(stream.lastError?.code ?? "") ? "delivery goes on" : "recovered";
}

/** What stands in the error column. An error that delivery has got over is history, not alarm. */
export function isErrorCurrent(stream: StreamSummary): boolean {
  return stream.lastError !== null && stream.failures > 0 && stream.state !== "paused";
}

const STEP_NAMES = { dns: "DNS", connect: "Connect", tls: "TLS", reply: "Reply" } as const;

export function stepName(step: keyof typeof STEP_NAMES): string {
  return STEP_NAMES[step];
}

/** "60 minutes", "3 hours", "2 days". */
export function minutesWords(minutes: number): string {
  const [value, unit] =
    minutes % 1_440 === 0
      ? [minutes / 1_440, "day"]
      : minutes % 60 === 0 && minutes > 60
        ? [minutes / 60, "hour"]
        : [minutes, "minute"];
  return `${formatCount(value)} ${unit}${value === 1 ? "" : "s"}`;
}

/** "612 B", "12.4 kB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** "#12" or "#12 to #511". */
export function seqRange({ fromSeq, toSeq }: { fromSeq: number; toSeq: number }): string {
  const first = `#${formatCount(fromSeq)}`;
  return toSeq - fromSeq <= 1 ? first : `${first} to #${formatCount(toSeq - 1)}`;
}

const JOB_WORDS: Record<StreamLane["state"], string> = {
  active: "Running",
  degraded: "Retrying",
  error: "Failing",
  paused: "Paused",
  disabled: "Switched off",
  finished: "Finished",
};

export function jobWord({ state, finishedAt }: StreamLane): string {
  return state === "disabled" && finishedAt !== null ? "Cancelled" : JOB_WORDS[state];
}

export const OUTCOME_WORDS: Record<
  StreamAttempt["outcome"],
  { word: string; tone: "good" | "part" | "bad" }
> = {
  delivered: { word: "Delivered", tone: "good" },
  partial: { word: "Taken in part", tone: "part" },
  rejected: { word: "Delivered, some set aside", tone: "part" },
  split: { word: "Refused, sent in parts", tone: "part" },
  retry: { word: "Failed, tried again", tone: "bad" },
  config_error: { word: "Refused", tone: "bad" },
  gone: { word: "Wants no more", tone: "bad" },
};
