"use client";

import type { KeyboardEvent, PointerEvent } from "react";

interface Props {
  label: string;
  /** The edge of its panel on which it stands. */
  side: "left" | "right";
  widthPx: number;
  minPx: number;
  maxPx: number;
  onResize(widthPx: number): void;
}

const STEP_PX = 16;

/** The edge of a panel, dragged or moved by arrow keys. */
export function ResizeEdge({ label, side, widthPx, minPx, maxPx, onResize }: Props) {
  const outward = side === "right" ? 1 : -1;
  const resize = (px: number) => onResize(Math.round(Math.min(Math.max(px, minPx), maxPx)));
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    resize(widthPx + direction * outward * STEP_PX);
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const handle = event.currentTarget;
    handle.setPointerCapture(event.pointerId);
    const startPx = event.clientX;
    handle.onpointermove = (move) => resize(widthPx + (move.clientX - startPx) * outward);
    handle.onpointerup = () => {
      handle.onpointermove = null;
    };
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged.
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={widthPx}
      aria-valuemin={minPx}
      aria-valuemax={maxPx}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      className={`absolute inset-y-0 z-20 w-2 cursor-col-resize touch-none focus-visible:bg-(--accent-line) ${side === "right" ? "-right-1" : "-left-1"}`}
    />
  );
}
