"use client";

import { useEffect, useState } from "react";

export type Fetched<T> =
  | { kind: "loading" }
  | { kind: "failed"; message: string; requestId: string }
  | { kind: "ready"; data: T };

/** The JSON behind an address of ours; another address abandons the request under way. */
export function useFetched<T>(url: string | null): { state: Fetched<T>; retry(): void } {
  const [state, setState] = useState<Fetched<T>>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt asks again.
  useEffect(() => {
    if (!url) return;
    const abort = new AbortController();
    const show = (next: Fetched<T>) => !abort.signal.aborted && setState(next);
    const read = async () => {
      const response = await fetch(url, { signal: abort.signal });
      const body = await response.json();
      if (response.ok) return show({ kind: "ready", data: body as T });
      const requestId = response.headers.get("x-request-id") ?? "";
      show({ kind: "failed", message: String(body.message), requestId });
    };
    read().catch(() =>
      show({ kind: "failed", message: "The server did not answer.", requestId: "" }),
    );
    return () => abort.abort();
  }, [url, attempt]);
  const retry = () => {
    setState({ kind: "loading" });
    setAttempt((count) => count + 1);
  };
  return { state, retry };
}
