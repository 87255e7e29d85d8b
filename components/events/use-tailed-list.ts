"use client";

import {
  type FocusEvent,
  type PointerEvent,
  type UIEvent,
  useEffect,
  useMemo,
  useState,
} from "react";
import type { EventRow } from "@/lib/events/schema";
import type { LiveTail } from "./use-live-tail";

/** A list with what came in live above it; an event that both have stays where it was seen first. */
export function useTailedRows(
  { rows: live }: LiveTail,
  listed: (EventRow | null)[],
): (EventRow | null)[] {
  return useMemo(() => {
    if (live.length === 0) return listed;
    const seen = new Set(live.map(({ id }) => id));
    return [...live, ...listed.filter((row) => !row || !seen.has(row.id))];
  }, [live, listed]);
}

/**
 * Holds new rows back while somebody reads, so that nothing moves under their eyes.
 * @returns handlers for what surrounds the grid.
 */
export function usePauseWhileReading(
  { setPause }: LiveTail,
  { hasSelection, isDrawerOpen }: { hasSelection: boolean; isDrawerOpen: boolean },
) {
  const [isScrolled, setScrolled] = useState(false);
  const [isHovered, setHovered] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const reasons: [boolean, string][] = [
    [isDrawerOpen, "an event is open"],
    [hasSelection, "events are selected"],
    [isScrolled, "the list is scrolled down"],
    [isHovered, "the mouse is over the list"],
    [isFocused, "the keyboard is in the list"],
  ];
  const reason = reasons.find(([holds]) => holds)?.[1];
  useEffect(() => {
    setPause(reason ? `Paused while ${reason}.` : null);
    return () => setPause(null);
  }, [reason, setPause]);

  return {
    onScrollCapture: ({ target }: UIEvent) =>
      setScrolled(target instanceof Element && target.scrollTop > 0),
    onPointerEnter: ({ pointerType }: PointerEvent) => setHovered(pointerType === "mouse"),
    onPointerLeave: () => setHovered(false),
    onFocus: ({ target }: FocusEvent) => setFocused(target.closest('[role="grid"]') !== null),
    onBlur: () => setFocused(false),
  };
}
