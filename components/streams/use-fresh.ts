import { useEffect, useRef, useState } from "react";
import type { ActionResult } from "@/lib/http/action-result";

const INTERVAL_MS = 3_000;

/**
 * Reads again every few seconds while the page is visible; keeps the last good answer.
 * @param initial null: nothing is known yet, and is read at once
 */
export function useFresh<T, Initial extends T | null>(
  initial: Initial,
  read: () => Promise<ActionResult<T>>,
): { data: T | Initial; problem: string | null; refresh(): Promise<void> } {
  const [data, setData] = useState<T | Initial>(initial);
  const [problem, setProblem] = useState<string | null>(null);
  const latestRead = useRef(read);
  latestRead.current = read;
  const isReading = useRef(false);

  const refresh = useRef(async () => {
    isReading.current = true;
    try {
      const result = await latestRead.current();
      setProblem(result.ok ? null : result.message);
      if (result.ok) setData(result.data);
    } catch {
      setProblem("The server did not answer.");
    }
    isReading.current = false;
  }).current;

  useEffect(() => {
    if (initial === null) void refresh();
    else setData(initial);
  }, [initial, refresh]);

  // The worker changes streams on its own: ask the server.
  useEffect(() => {
    const timer = setInterval(() => {
      // Actions wait for one another: a slow server gets no queue of these.
      if (document.visibilityState === "visible" && !isReading.current) void refresh();
    }, INTERVAL_MS);
    return () => clearInterval(timer);
  }, [refresh]);

  return { data, problem, refresh };
}
