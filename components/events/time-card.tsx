"use client";

import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { relativeWords, skewWords } from "@/lib/events/time-facts";
import { clockOf, useZone, type Zone, zoneOffset, zoneTitle } from "./zone";

const GAP = 4;

/** Beside a time: every clock it can be read by, its age, and how far receipt lay behind it. */
export function TimeCard(props: { time: HTMLTimeElement; onClose(): void }) {
  const { time, onClose } = props;
  const { dateTime: iso } = time;
  const { received } = time.dataset;
  const id = useId();
  const card = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  const chosen = useZone();
  const zones = [...new Map([chosen, "viewer", "utc"].map((zone) => [zoneTitle(zone), zone]))];

  useLayoutEffect(() => {
    const { width, height } = (card.current as HTMLElement).getBoundingClientRect();
    const { left, top, bottom } = time.getBoundingClientRect();
    const fits = bottom + GAP + height <= innerHeight;
    setPlace({
      left: Math.max(GAP, Math.min(left, innerWidth - width - GAP)),
      top: fits ? bottom + GAP : top - GAP - height,
    });
  }, [time]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      onClose();
    };
    const described = time.closest("[role=gridcell]") ?? time;
    described.setAttribute("aria-describedby", id);
    document.addEventListener("keydown", onKey, true);
    return () => {
      described.removeAttribute("aria-describedby");
      document.removeEventListener("keydown", onKey, true);
    };
  }, [time, id, onClose]);

  const read = (at: string, zone: Zone) => {
    const { day, time: clock, milliseconds } = clockOf(at, zone);
    return `${day} ${clock}${milliseconds} ${zoneOffset(zone, at)}`;
  };
  const atMs = Date.parse(iso);
  const facts = [
    ...zones.map(([title, zone]) => [title, read(iso, zone)] as const),
    ["Relative", relativeWords(atMs, Date.now())] as const,
    ["Epoch, ms", String(atMs)] as const,
    ...(received
      ? ([
          ["Received", read(received, chosen)],
          ["Skew", skewWords(atMs, Date.parse(received))],
        ] as const)
      : []),
  ];
  return (
    <div
      ref={card}
      id={id}
      role="tooltip"
      data-time-card
      style={place ?? { visibility: "hidden" }}
      className="fixed z-50 rounded-[8px] bg-(--raised) px-3 py-2 shadow-(--shadow-menu)"
    >
      <dl className="grid grid-cols-[auto_auto] gap-x-4 gap-y-0.5 text-[12px]">
        {facts.map(([label, text]) => (
          <div key={label} className="contents">
            <dt className="text-(--text-3)">{label}</dt>
            <dd className="font-mono">{text}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
