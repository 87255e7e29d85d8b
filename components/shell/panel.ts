"use client";

import { useSyncExternalStore } from "react";

/** What lies over any page of an organization: one at a time, opened from anywhere. */
export type Panel = "palette" | "help";

let open: Panel | null = null;
const listeners = new Set<() => void>();

export function openPanel(panel: Panel | null): void {
  open = panel;
  for (const listener of listeners) listener();
}

export function usePanel(): Panel | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open,
    () => null,
  );
}

const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform);

/** What the modifier of shortcuts is called on this keyboard. */
export function useModKey(): string {
  return useSyncExternalStore(
    () => () => {},
    () => (isApple() ? "⌘" : "Ctrl "),
    () => "Ctrl ",
  );
}
