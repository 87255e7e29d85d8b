"use client";

import { useEffect, useId, useRef, useState } from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button } from "@/components/ui/button";
import type { LiveTail, TailState } from "./use-live-tail";

const ANNOUNCE_MS = 10_000;

/** `short` is what fits beside the other controls of a phone. */
const LOOKS: Record<TailState["kind"], { word: string; short: string; shape: string }> = {
  off: { word: "Live", short: "Live", shape: "rounded-full border-[1.5px] border-(--text-3)" },
  connecting: {
    word: "Live: connecting",
    short: "…",
    shape: "rounded-full border-[1.5px] border-dotted border-(--text-2) motion-safe:animate-pulse",
  },
  live: { word: "Live: on", short: "On", shape: "rounded-full bg-(--accent)" },
  polling: { word: "Live: every 5 s", short: "5 s", shape: "rotate-45 bg-(--accent)" },
  paused: { word: "Live: paused", short: "Paused", shape: "border-x-[3px] border-(--text-2)" },
  ended: { word: "Live: ended", short: "Ended", shape: "bg-(--text-2)" },
};

/** Switches the live tail; `l` does the same. Says in word and shape how it stands. */
export function LiveToggle({ tail }: { tail: LiveTail }) {
  const { state, whyNot } = tail;
  const reasonId = useId();
  const { word, short, shape } = LOOKS[state.kind];
  const reason = whyNot ?? ("reason" in state ? state.reason : null);
  useShortcuts([
    {
      keys: "l",
      label: "Live on or off",
      group: "Events",
      run: () => (whyNot === null ? tail.toggle() : false),
    },
  ]);
  return (
    <>
      <Button
        aria-pressed={state.kind !== "off"}
        aria-disabled={whyNot !== null}
        aria-describedby={reason ? reasonId : undefined}
        title={reason ?? "Show events as they arrive (l)"}
        onClick={() => whyNot === null && tail.toggle()}
        className="aria-disabled:cursor-not-allowed aria-disabled:text-(--text-3)"
      >
        <span aria-hidden="true" className={`size-2.5 shrink-0 ${shape}`} />
        <span className="max-sm:sr-only">{word}</span>
        <span aria-hidden="true" className="sm:hidden">
          {short}
        </span>
      </Button>
      {reason && (
        <span id={reasonId} className="sr-only">
          {reason}
        </span>
      )}
    </>
  );
}

/**
 * Over the top of the list: what waits, what is missing, why it ended.
 * @param onTake shows what waits and goes to the top.
 */
export function TailNotice(props: { tail: LiveTail; onTake(): void; onReload(): void }) {
  const { state, waiting, skipped, total } = props.tail;
  const count = skipped?.count?.toLocaleString("en-US");
  return (
    <div className="pointer-events-none absolute inset-x-0 top-10 z-20 flex flex-wrap justify-center gap-2 px-4 *:pointer-events-auto *:shadow-(--shadow-menu)">
      {waiting > 0 && (
        <Button variant="primary" onClick={props.onTake}>
          {waiting} new
        </Button>
      )}
      {skipped && (
        <Button onClick={props.onReload}>
          {count ? `Skipped ${count} events.` : "Skipped events: too many at once to count."} Reload
        </Button>
      )}
      {state.kind === "ended" && (
        <p className="rounded-[5px] border border-(--border-strong) bg-(--raised) px-2.5 py-1">
          {state.reason}
        </p>
      )}
      <Summary total={total} />
    </div>
  );
}

/** Tells a screen reader how many came, at most every ten seconds. */
function Summary({ total }: { total: number }) {
  const [said, setSaid] = useState({ total, text: "" });
  const saidMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (total === said.total) return;
    const waitMs = Math.max(0, saidMs.current + ANNOUNCE_MS - performance.now());
    const timer = setTimeout(() => {
      saidMs.current = performance.now();
      const count = total - said.total;
      setSaid({ total, text: count > 0 ? `${count} new ${count === 1 ? "event" : "events"}` : "" });
    }, waitMs);
    return () => clearTimeout(timer);
  }, [total, said]);
  return (
    <span role="status" className="sr-only" data-testid="tail-summary">
      {said.text}
    </span>
  );
}
