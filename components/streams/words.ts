import type { DestinationId, StreamState, StreamSummary } from "@/lib/streams/schema";

export const STATE_WORDS: Record<StreamState, string> = {
  active: "Active",
  degraded: "Degraded",
  error: "Failing",
  paused: "Paused",
  disabled: "Switched off",
};

export const DESTINATIONS: { id: DestinationId; label: string; about: string }[] = [
  {
    id: "webhook",
    label: "HTTPS webhook",
    about: "Signed POST requests of JSON or NDJSON, after Standard Webhooks.",
  },
  {
    id: "splunk",
    label: "Splunk HEC",
    about: "The HTTP Event Collector of Splunk Enterprise, Splunk Cloud and compatible servers.",
  },
];

const count = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return count.format(value);
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

/** What stands in the error column. An error that delivery has got over is history, not alarm. */
export function isErrorCurrent(stream: StreamSummary): boolean {
  return stream.lastError !== null && stream.failures > 0;
}

const STEP_NAMES = { dns: "DNS", connect: "Connect", tls: "TLS", reply: "Reply" } as const;

export function stepName(step: keyof typeof STEP_NAMES): string {
  return STEP_NAMES[step];
}
