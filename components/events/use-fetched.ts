"use client";

import { useEffect, useState } from "react";
import type { Failure } from "./use-event-list";

export interface Fetched<T> {
  /** The last answer; stale while another is on its way. */
  data: T | null;
  isStale: boolean;
  failure: Failure | null;
  retry(): void;
}

/**
 * JSON from one of our handlers, asked for again whenever the address or `version` changes; what was asked for
 * before is aborted, and shown until the new answer is there.
 * @param url null asks for nothing
 */
export function useFetched<T>(url: string | null, version: unknown = null): Fetched<T> {
  const [data, setData] = useState<{ url: string; value: T } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: version and attempt ask again.
  useEffect(() => {
    if (!url) return;
    const controller = new AbortController();
    read<T>(url, controller.signal).then(
      (value) => {
        setData({ url, value });
        setFailure(null);
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setFailure(
          error instanceof Refusal
            ? error.failure
            : { message: "The server did not answer.", requestId: "" },
        );
      },
    );
    return () => controller.abort();
  }, [url, version, attempt]);

  return {
    data: data?.value ?? null,
    isStale: data !== null && data.url !== url,
    failure,
    retry: () => setAttempt((count) => count + 1),
  };
}

class Refusal extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

async function read<T>(url: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal });
  const body = (await response.json()) as T & { message?: string };
  if (response.ok) return body;
  throw new Refusal({
    message: body.message ?? `The server answered ${response.status}.`,
    requestId: response.headers.get("x-request-id") ?? "",
  });
}
