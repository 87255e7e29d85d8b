"use client";

import { Clock } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input } from "@/components/ui/field";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { TimeRange } from "@/lib/events/filter/url";
import { clockOf, useZone, type Zone, zoneTitle } from "./zone";

const RANGES: { range: string; label: string }[] = [
  { range: "15m", label: "Last 15 minutes" },
  { range: "1h", label: "Last hour" },
  { range: "24h", label: "Last 24 hours" },
  { range: "7d", label: "Last 7 days" },
  { range: "30d", label: "Last 30 days" },
  { range: "90d", label: "Last 90 days" },
];

function label(time: TimeRange, zone: Zone): string {
  if (time.kind === "all") return "All time";
  if (time.kind === "relative")
    return RANGES.find(({ range }) => range === time.range)?.label ?? `Last ${time.range}`;
  const words = (iso: string) => `${clockOf(iso, zone).day} ${clockOf(iso, zone).time.slice(0, 5)}`;
  if (time.from && time.to) return `${words(time.from)} to ${words(time.to)}`;
  return time.from ? `Since ${words(time.from)}` : `Before ${words(time.to as string)}`;
}

/** Which time the list covers; without a choice, all of it. */
export function TimeControl(props: { time: TimeRange; onChange(time: TimeRange): void }) {
  const zone = useZone();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Menu
        label="Time"
        align="end"
        trigger={
          <Button
            className="max-w-72 max-sm:flex-1"
            aria-label={`Time: ${label(props.time, zone)}`}
          >
            <Clock size={14} aria-hidden="true" className="text-(--text-3)" />
            <span className="truncate" suppressHydrationWarning>
              {label(props.time, zone)}
            </span>
          </Button>
        }
      >
        <MenuItem onSelect={() => props.onChange({ kind: "all" })}>All time</MenuItem>
        {RANGES.map(({ range, label: words }) => (
          <MenuItem key={range} onSelect={() => props.onChange({ kind: "relative", range })}>
            {words}
          </MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem onSelect={() => setOpen(true)}>From … to …</MenuItem>
      </Menu>
      <Dialog
        open={isOpen}
        onOpenChange={setOpen}
        title="Time range"
        description={`Times are in ${zoneTitle(zone)}. The start is included, the end is not.`}
      >
        <AbsoluteRange
          time={props.time}
          zone={zone}
          onApply={(time) => {
            setOpen(false);
            props.onChange(time);
          }}
        />
      </Dialog>
    </>
  );
}

function AbsoluteRange(props: { time: TimeRange; zone: Zone; onApply(time: TimeRange): void }) {
  const [error, setError] = useState<string | null>(null);
  const initial = (iso: string | null) =>
    iso ? `${clockOf(iso, props.zone).day}T${clockOf(iso, props.zone).time}` : "";
  const absolute = props.time.kind === "absolute" ? props.time : { from: null, to: null };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const instant = (name: string) => {
      const text = String(data.get(name) ?? "");
      return text === "" ? null : new Date(props.zone === "utc" ? `${text}Z` : text).toISOString();
    };
    const [from, to] = [instant("from"), instant("to")];
    if (!from && !to) setError("Give a start, an end, or both.");
    else if (from && to && from >= to) setError("The end must be later than the start.");
    else props.onApply({ kind: "absolute", from, to });
  };

  return (
    <form onSubmit={submit} className="grid gap-4">
      <Field label="From">
        {(control) => (
          <Input
            {...control}
            type="datetime-local"
            step="1"
            name="from"
            defaultValue={initial(absolute.from)}
          />
        )}
      </Field>
      <Field label="To" error={error}>
        {(control) => (
          <Input
            {...control}
            type="datetime-local"
            step="1"
            name="to"
            defaultValue={initial(absolute.to)}
          />
        )}
      </Field>
      <div className="flex justify-end">
        <Button type="submit" variant="primary">
          Apply
        </Button>
      </div>
    </form>
  );
}
