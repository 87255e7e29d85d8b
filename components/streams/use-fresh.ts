import { useEffect, useRef, useState } from "react";
import type { ActionResult } from "@/lib/http/action-result";

const INTERVAL_MS = 3_000;

/** Reads `initial` again every few seconds while the page is visible; keeps the last good answer. */
export function useFresh<T>(
  initial: T,
  read: () => Promise<ActionResult<T>>,
): { data: T; problem: string | null; refresh(): Promise<void> } {
  const [data, setData] = useState(initial);
  const [problem, setProblem] = useState<string | null>(null);
  const latestRead = useRef(read);
  latestRead.current = read;

  useEffect(() => setData(initial), [initial]);

  const refresh = useRef(async () => {
    try {
      const result = await latestRead.current();
      setProblem(result.ok ? null : result.message);
      if (result.ok) setData(result.data);
    } catch {
      setProblem("The server did not answer.");
    }
  }).current;

  // The worker changes streams on its own: ask the server.
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void refresh();
    }, INTERVAL_MS);
    return () => clearInterval(timer);
  }, [refresh]);

  return { data, problem, refresh };
}
