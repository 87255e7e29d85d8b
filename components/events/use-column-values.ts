"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import type { EventRow } from "@/lib/events/schema";
import { isColumnId, type TableLayout } from "@/lib/events/table-layout";
import type { ActionResult } from "@/lib/http/action-result";
import type { Failure } from "./use-event-list";

export type ReadColumns = (
  keys: { seq: number; recordedAt: string }[],
  columns: string[],
) => Promise<ActionResult<Record<number, (string | null)[]>>>;

const ROWS_PER_READ = 200;

/** The values of columns beyond those that every row has, read for the rows on screen as they come. */
export function useColumnValues(
  columns: TableLayout["columns"],
  shown: readonly EventRow[],
  read: ReadColumns,
) {
  const extra = columns.map(({ id }) => id).filter((id) => !isColumnId(id));
  const [values, setValues] = useState<ReadonlyMap<string, string | null>>(new Map());
  const [failure, setFailure] = useState<Failure | null>(null);
  const asked = useRef(false);

  const wanted = failure
    ? []
    : shown
        .filter(({ seq }) => extra.some((id) => !values.has(`${id} ${seq}`)))
        .slice(0, ROWS_PER_READ);
  const ids = JSON.stringify(extra);
  const firstWanted = wanted[0]?.seq;

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is wanted follows from the first of it.
  useEffect(() => {
    if (asked.current || wanted.length === 0) return;
    asked.current = true;
    const keys = wanted.map(({ seq, recordedAt }) => ({ seq, recordedAt }));
    const settle = (answer: Record<number, (string | null)[]> | null, failed: Failure | null) => {
      asked.current = false;
      setFailure(failed);
      if (!answer) return;
      setValues((known) => {
        const next = new Map(known);
        for (const { seq } of keys)
          for (const [index, id] of extra.entries())
            next.set(`${id} ${seq}`, answer[seq]?.[index] ?? null);
        return next;
      });
    };
    read(keys, extra).then(
      (result) =>
        result.ok
          ? settle(result.data, null)
          : settle(null, { message: result.message, requestId: result.requestId }),
      () => settle(null, { message: "The server did not answer.", requestId: "" }),
    );
  }, [ids, firstWanted, values]);

  const cellValue = useCallback(
    (columnId: string, event: EventRow) => values.get(`${columnId} ${event.seq}`),
    [values],
  );
  return { cellValue, failure, retry: () => setFailure(null) };
}
