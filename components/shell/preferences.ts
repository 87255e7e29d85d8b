"use client";

import { useSyncExternalStore } from "react";

/** What a person prefers, kept in this browser under `trailseal.<name>`; other tabs follow. */

const PREFIX = "trailseal.";
const listeners = new Set<() => void>();

function announce(): void {
  for (const listener of listeners) listener();
}

export function readPreference(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    // Storage may be forbidden; then every preference is its default.
    return null;
  }
}

/** @param value null goes back to the default */
export function writePreference(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Forbidden or full: it holds until the page is left.
  }
  announce();
}

export function subscribePreferences(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener("storage", announce);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("storage", announce);
  };
}

/** A preference as it is now; null on the server, which knows none. */
export function usePreference(name: string): string | null {
  return useSyncExternalStore(
    subscribePreferences,
    () => readPreference(name),
    () => null,
  );
}
