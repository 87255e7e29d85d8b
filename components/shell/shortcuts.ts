"use client";

import { useEffect, useRef, useSyncExternalStore } from "react";
import { isTyping } from "@/components/events/keys";
import { readPreference, subscribePreferences, writePreference } from "./preferences";

export interface Shortcut {
  /** `u`, `?`, `ArrowDown`; `g e` one after the other; `mod+k` with ⌘ or Ctrl. */
  keys: string;
  label: string;
  /** Heading on the help sheet. */
  group: string;
  /** Whether it also works while the focus is in a dialog or sheet. */
  inDialog?: boolean;
  /** Returns false to leave the key to the browser. */
  run(event: KeyboardEvent): unknown;
}

/** The second key of a sequence has to come within this. */
const SEQUENCE_MS = 1_000;

/** What is on the page now; what came last wins. */
const registered: { current: readonly Shortcut[] }[] = [];
const listeners = new Set<() => void>();
let snapshot: readonly Shortcut[] = [];
let first: { key: string; atMs: number } | null = null;

function refresh() {
  snapshot = registered.flatMap(({ current }) => current);
  for (const listener of listeners) listener();
}

function onKeyDown(event: KeyboardEvent) {
  const isMod = (event.metaKey || event.ctrlKey) && !event.altKey;
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  if (!isMod && (isTyping(event) || (event.key.length === 1 && !areSingleKeysOn()))) return;
  const key = isMod ? `mod+${event.key.toLowerCase()}` : event.key;
  const isSecond = first !== null && performance.now() - first.atMs < SEQUENCE_MS;
  const typed = isSecond && first ? `${first.key} ${key}` : key;
  first = null;
  const isBehind =
    event.target instanceof Element && event.target.closest('[role="dialog"],[role="menu"]');
  const known = registered
    .toReversed()
    .flatMap(({ current }) => current)
    .filter((shortcut) => !isBehind || shortcut.inDialog);
  const found = known.find(({ keys }) => keys === typed);
  if (found) {
    if (found.run(event) !== false) event.preventDefault();
  } else if (known.some(({ keys }) => keys.startsWith(`${key} `))) {
    first = { key, atMs: performance.now() };
  }
}

/** Keys that work on this page for as long as the component is mounted. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const entry = useRef(shortcuts);
  useEffect(() => {
    entry.current = shortcuts;
  });
  useEffect(() => {
    if (registered.length === 0) document.addEventListener("keydown", onKeyDown);
    registered.push(entry);
    refresh();
    return () => {
      registered.splice(registered.indexOf(entry), 1);
      if (registered.length === 0) document.removeEventListener("keydown", onKeyDown);
      refresh();
    };
  }, []);
}

/** Does what the keys would do, for whoever chose them by name. */
export function runShortcut(keys: string): void {
  const known = registered.toReversed().flatMap(({ current }) => current);
  const event = new KeyboardEvent("keydown", { key: keys.split(" ").at(-1), bubbles: true });
  // What it leaves to the focus gets the key itself.
  if (known.find((shortcut) => shortcut.keys === keys)?.run(event) === false)
    document.activeElement?.dispatchEvent(event);
}

const NONE: readonly Shortcut[] = [];

/** Everything that works now, for the help sheet. */
export function useRegisteredShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => snapshot,
    () => NONE,
  );
}

const SINGLE_KEYS = "single_keys";

function areSingleKeysOn(): boolean {
  return readPreference(SINGLE_KEYS) !== "off";
}

/** People whose software sends keys (speech input) can switch the single ones off (WCAG 2.1.4). */
export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribePreferences, areSingleKeysOn, () => true);
  return [on, (next) => writePreference(SINGLE_KEYS, next ? null : "off")];
}
