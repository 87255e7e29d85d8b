"use client";

import { type KeyboardEvent, type PointerEvent, useSyncExternalStore } from "react";
import {
  readPreference,
  subscribePreferences,
  writePreference,
} from "@/components/shell/preferences";
import { useShortcuts } from "@/components/shell/shortcuts";
import { FacetSections, type Facets } from "./facet-sections";
import { useMedia } from "./use-media";

const WIDTH = { name: "facets.width", usual: 232, min: 180, max: 420, step: 16 };
const HIDDEN = "facets.hidden";

/** What the events have in common, beside them: `[` shows and hides it, its edge resizes it. */
export function FacetRail(props: Facets) {
  const isWide = useMedia("(min-width: 1024px)");
  const isHidden = useSyncExternalStore(
    subscribePreferences,
    () => readPreference(HIDDEN) === "yes",
    () => false,
  );
  const widthPx = useSyncExternalStore(
    subscribePreferences,
    () => Number(readPreference(WIDTH.name)) || WIDTH.usual,
    () => WIDTH.usual,
  );
  useShortcuts([
    {
      keys: "[",
      label: "Show or hide the facets",
      group: "Events",
      run: () => writePreference(HIDDEN, isHidden ? null : "yes"),
    },
  ]);
  if (!isWide || isHidden) return null;

  const resize = (px: number) =>
    writePreference(WIDTH.name, String(Math.min(Math.max(Math.round(px), WIDTH.min), WIDTH.max)));
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    resize(widthPx + direction * WIDTH.step);
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    const startPx = event.clientX;
    handle.onpointermove = (move) => resize(widthPx + move.clientX - startPx);
    handle.onpointerup = () => {
      handle.onpointermove = null;
    };
  };

  return (
    <aside
      aria-label="Facets"
      className="relative shrink-0 border-r border-(--border) bg-(--bg)"
      style={{ width: widthPx }}
    >
      <div className="h-full overflow-y-auto pb-3">
        <FacetSections {...props} />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged. */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the facets"
        aria-valuenow={widthPx}
        aria-valuemin={WIDTH.min}
        aria-valuemax={WIDTH.max}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        className="absolute inset-y-0 -right-1 z-20 w-2 cursor-col-resize touch-none focus-visible:bg-(--accent-line)"
      />
    </aside>
  );
}
