"use client";

import { useCallback, useMemo, useSyncExternalStore } from "react";
import {
  readPreference,
  subscribePreferences,
  writePreference,
} from "@/components/shell/preferences";
import { DEFAULT_LAYOUT, parseLayout, type TableLayout } from "@/lib/events/table-layout";

/** The preference that holds the layout of a view, or of the list without one. */
export function layoutName(view: { id: string } | null): string {
  return view ? `layout.${view.id}` : "layout";
}

/**
 * The layout of a table, kept in this browser.
 * @param name of the preference: each saved view keeps its own
 * @param base what it is before anybody changes it, and after a reset
 */
export function useTableLayout(name: string, base: TableLayout = DEFAULT_LAYOUT) {
  const stored = useSyncExternalStore(
    subscribePreferences,
    () => readPreference(name),
    () => null,
  );
  const layout = useMemo(() => (stored === null ? base : parseStored(stored)), [stored, base]);
  /** null goes back to the base. */
  const setLayout = useCallback(
    (next: TableLayout | null) => {
      const isBase = !next || JSON.stringify(next) === JSON.stringify(base);
      writePreference(name, isBase ? null : JSON.stringify(next));
    },
    [name, base],
  );
  return { layout, setLayout, isChanged: stored !== null };
}

function parseStored(text: string): TableLayout {
  try {
    return parseLayout(JSON.parse(text));
  } catch {
    return DEFAULT_LAYOUT;
  }
}
