"use client";

import { type FormEvent, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { parseTimeInput } from "@/lib/events/filter/time-input";
import { type TimeRange, timeBounds } from "@/lib/events/filter/url";
import { momentWords, timeWords } from "./time-words";
import { useFetched } from "./use-fetched";
import { clockOf, useZone, type Zone, zoneOffset, zoneTitle } from "./zone";

const PRESETS = [
  "all time",
  "15m",
  "1h",
  "24h",
  "7d",
  "30d",
  "90d",
  "today",
  "yesterday",
  "this week",
  "last month",
];

const FIELDS = ["from", "to"] as const;

/** What was understood: both ends in the zone in force, with its offset. */
function readingOf(time: TimeRange, zone: Zone): string {
  if (time.kind === "all") return "All time: every event kept";
  const { from, to } = timeBounds(time, Date.now());
  const words = (iso: string) => `${momentWords(iso, zone)} ${zoneOffset(zone, iso)}`;
  if (!from) return `Before ${words(to as string)}`;
  return `From ${words(from)} ${to ? `up to ${words(to)}` : time.kind === "relative" ? "to now" : "on"}`;
}

/** Presets, a line that reads what people write, two dates; and since when there is anything. */
export function TimePanel(props: {
  organizationId: string;
  time: TimeRange;
  onChange(time: TimeRange): void;
}) {
  const zone = useZone();
  const readingId = useId();
  const [text, setText] = useState("");
  const [isRefused, setRefused] = useState(false);
  const understood = parseTimeInput(text, zoneTitle(zone), Date.now());
  const { data } = useFetched<{ oldest: string | null }>(
    `/o/${props.organizationId}/events/oldest`,
  );

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (understood.ok) props.onChange(understood.time);
    else setRefused(true);
  };
  const shown = text && understood.ok ? understood.time : props.time;
  return (
    <div className="grid max-h-[min(70dvh,560px)] gap-3 overflow-auto p-0.5">
      <form onSubmit={submit} className="grid gap-1">
        <Input
          autoFocus
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setRefused(false);
          }}
          aria-label="Time range"
          aria-describedby={readingId}
          aria-invalid={isRefused || undefined}
          placeholder="24h, yesterday, 2026-08-01..03"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          className="font-mono text-[12px] max-sm:text-[16px]"
        />
        <p
          id={readingId}
          role={isRefused ? "alert" : "status"}
          className={`min-h-8 text-[12px] ${understood.ok ? "text-(--text-2)" : isRefused ? "text-(--in-failed)" : "text-(--text-3)"}`}
        >
          {understood.ok ? readingOf(shown, zone) : understood.message}
        </p>
      </form>
      <ul className="flex flex-wrap gap-1">
        {PRESETS.map((preset) => {
          const read = parseTimeInput(preset, zoneTitle(zone), Date.now());
          if (!read.ok) return null;
          const isNow = JSON.stringify(read.time) === JSON.stringify(props.time);
          const words = read.time.kind === "relative" ? timeWords(read.time, zone) : preset;
          return (
            <li key={preset}>
              <Button
                aria-pressed={isNow}
                onClick={() => props.onChange(read.time)}
                className={`text-[12px] ${isNow ? "border-(--accent)" : ""}`}
              >
                {words.charAt(0).toUpperCase() + words.slice(1)}
              </Button>
            </li>
          );
        })}
      </ul>
      <Dates key={JSON.stringify(shown)} time={shown} zone={zone} onChange={props.onChange} />
      <p className="border-t border-(--border) pt-2 text-[12px] text-(--text-3)">
        Times are in {zoneTitle(zone)}. The end is not included.{" "}
        {data?.oldest &&
          `Events are kept since ${momentWords(data.oldest, zone)} ${zoneOffset(zone, data.oldest)}.`}
      </p>
    </div>
  );
}

/** The platform's own calendar, once for each end. */
function Dates(props: { time: TimeRange; zone: Zone; onChange(time: TimeRange): void }) {
  const { time, zone } = props;
  const [error, setError] = useState<string | null>(null);
  const ends = timeBounds(time, Date.now());
  const initial = (iso: string | null) =>
    iso ? `${clockOf(iso, zone).day}T${clockOf(iso, zone).time}` : "";

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const [from, to] = FIELDS.map((name) => String(given.get(name) ?? ""));
    const text = from && to ? `${from}..${to}` : from ? `since ${from}` : to ? `before ${to}` : "";
    const read = parseTimeInput(text, zoneTitle(zone), Date.now());
    if (text === "") setError("Give a start, an end, or both.");
    else if (read.ok) props.onChange(read.time);
    else setError(read.message);
  };
  return (
    <form onSubmit={submit} className="grid gap-2 border-t border-(--border) pt-3">
      {FIELDS.map((name) => (
        <Field
          key={name}
          label={name === "from" ? "From" : "To"}
          error={name === "to" ? error : null}
        >
          {(control) => (
            <Input
              {...control}
              type="datetime-local"
              step="1"
              name={name}
              defaultValue={initial(ends[name])}
            />
          )}
        </Field>
      ))}
      <Button type="submit" variant="primary" className="justify-self-end">
        Apply
      </Button>
    </form>
  );
}
