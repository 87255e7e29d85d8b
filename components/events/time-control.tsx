"use client";

import { ChevronLeft, ChevronRight, Clock, Pin } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button } from "@/components/ui/button";
import { Popover } from "@/components/ui/popover";
import { stepTime } from "@/lib/events/filter/step-time";
import { type TimeRange, timeBounds } from "@/lib/events/filter/url";
import { timeWords } from "./time-words";
import { useZone } from "./zone";

const TimePanel = dynamic(() => import("./time-panel").then((module) => module.TimePanel), {
  loading: () => null,
});

interface Props {
  organizationId: string;
  time: TimeRange;
  onChange(time: TimeRange): void;
}

/** Wide and narrow screens have a control each, of which one is shown. */
function openVisible(): void {
  const controls = document.querySelectorAll<HTMLElement>("[data-time-control]");
  [...controls].find(({ offsetParent }) => offsetParent)?.click();
}

/** Which time the list covers; without a choice, all of it. ‹ › go on by its length. */
export function TimeControl(props: Props) {
  const { time, onChange } = props;
  const zone = useZone();
  const [isOpen, setOpen] = useState(false);
  useShortcuts([{ keys: "t", label: "Time", group: "Events", run: openVisible }]);
  const words = timeWords(time, zone);
  const canStep = time.kind === "relative" || (time.kind === "absolute" && time.from && time.to);
  const step = (by: 1 | -1) => {
    const next = stepTime(time, Date.now(), by);
    if (next) onChange(next);
  };
  const pin = () => {
    const nowMs = Date.now();
    const { from } = timeBounds(time, nowMs);
    onChange({ kind: "absolute", from, to: new Date(nowMs).toISOString() });
  };
  return (
    <div className="flex min-w-0 gap-1 max-sm:flex-1">
      {canStep && (
        <Button icon variant="quiet" aria-label="Earlier" title="Earlier" onClick={() => step(-1)}>
          <ChevronLeft size={14} aria-hidden="true" />
        </Button>
      )}
      <Popover
        open={isOpen}
        onOpenChange={setOpen}
        label="Time"
        trigger={
          <Button
            data-time-control
            className="max-w-80 min-w-0 max-sm:flex-1"
            aria-label={`Time: ${words}`}
          >
            <Clock
              size={14}
              aria-hidden="true"
              className="shrink-0 text-(--text-3) max-sm:hidden"
            />
            <span className="truncate" suppressHydrationWarning>
              {words}
            </span>
          </Button>
        }
      >
        <TimePanel
          organizationId={props.organizationId}
          time={time}
          onChange={(next) => {
            setOpen(false);
            onChange(next);
          }}
        />
      </Popover>
      {canStep && (
        <Button icon variant="quiet" aria-label="Later" title="Later" onClick={() => step(1)}>
          <ChevronRight size={14} aria-hidden="true" />
        </Button>
      )}
      {time.kind === "relative" && (
        <Button
          icon
          variant="quiet"
          aria-label="Pin: keep these times as they are now"
          title="Pin: keep these times as they are now"
          onClick={pin}
        >
          <Pin size={14} aria-hidden="true" />
        </Button>
      )}
    </div>
  );
}
