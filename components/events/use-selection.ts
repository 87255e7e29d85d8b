"use client";

import { useCallback, useRef, useState } from "react";
import type { EventRow } from "@/lib/events/schema";

const NONE: ReadonlySet<string> = new Set();

/** As many as one copy takes. */
export const MAX_SELECTED = 500;

/**
 * Rows chosen one by one or, from the one chosen last, as a range; a range ends where no more are taken, and
 * the count says so.
 */
export function useSelection(rows: readonly (EventRow | null)[]) {
  const [ids, setIds] = useState(NONE);
  const lastId = useRef<string | null>(null);

  const toggle = (event: EventRow, isRange: boolean) => {
    const from = rows.findIndex((row) => row?.id === lastId.current);
    const to = rows.findIndex((row) => row?.id === event.id);
    lastId.current = event.id;
    setIds((known) => {
      const next = new Set(known);
      if (isRange && from >= 0 && to >= 0) {
        for (const row of rows.slice(Math.min(from, to), Math.max(from, to) + 1))
          if (row && next.size < MAX_SELECTED) next.add(row.id);
      } else if (!next.delete(event.id) && next.size < MAX_SELECTED) next.add(event.id);
      return next;
    });
  };
  return { ids, toggle, clear: useCallback(() => setIds(NONE), []) };
}
