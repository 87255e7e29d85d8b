"use client";

import { useEffect, useState, useSyncExternalStore } from "react";

interface Toast {
  id: number;
  text: string;
  undo: (() => void) | null;
}

const MAX_TOASTS = 3;
const SHOWN_MS = 5_000;
const NONE: readonly Toast[] = [];

let toasts = NONE;
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says what was done, for a moment, and offers to undo it. */
export function showToast(text: string, undo: (() => void) | null = null): void {
  lastId += 1;
  change([...toasts, { id: lastId, text, undo }].slice(-MAX_TOASTS));
}

/** Where toasts appear; they wait while somebody points at them or is in them. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
    () => NONE,
  );
  const [isHeld, setHeld] = useState(false);
  const first = shown[0]?.id;

  // The oldest goes first.
  useEffect(() => {
    if (first === undefined || isHeld) return;
    const timer = setTimeout(() => change(toasts.filter(({ id }) => id !== first)), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [first, isHeld]);

  return (
    <div
      role="status"
      aria-label="Notices"
      className="pointer-events-none fixed inset-x-0 bottom-10 z-50 grid justify-items-center gap-2 px-4"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {shown.map(({ id, text, undo }) => (
        <p
          key={id}
          className="pointer-events-auto flex max-w-full items-center gap-3 rounded-[8px] bg-(--raised) py-2 pr-2 pl-4 shadow-(--shadow-menu)"
        >
          <span className="min-w-0 truncate">{text}</span>
          {undo && (
            <button
              type="button"
              className="h-7 shrink-0 rounded-[5px] px-2 font-medium text-(--accent) hover:bg-(--hover) max-sm:h-11"
              onClick={() => {
                change(toasts.filter((toast) => toast.id !== id));
                undo();
              }}
            >
              Undo
            </button>
          )}
        </p>
      ))}
    </div>
  );
}
