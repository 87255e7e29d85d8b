"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import type { TimelinePage } from "@/lib/events/timeline";
import type { ActionResult } from "@/lib/http/action-result";

type Direction = "after" | "before";
type Load = (direction: Direction, cursor: string) => Promise<ActionResult<TimelinePage>>;

/** Going back shows the page object that was painted before: what was loaded around it is still true. */
const known = new WeakMap<TimelinePage, TimelinePage[]>();

/** Pages around the first one, newest first; every page read is kept. */
export function usePages(first: TimelinePage, load: Load) {
  const [base, setBase] = useState(first);
  const [pages, setPages] = useState(() => known.get(first) ?? [first]);
  const [failure, setFailure] = useState<{
    direction: Direction;
    message: string;
    requestId: string;
  } | null>(null);
  const [isLoading, setLoading] = useState(false);
  const isBusy = useRef(false);
  if (base !== first) {
    setBase(first);
    setPages(known.get(first) ?? [first]);
    setFailure(null);
  }
  const current = useRef(pages);
  useEffect(() => {
    current.current = pages;
    if (pages.includes(first)) known.set(first, pages);
  }, [first, pages]);

  const more = useCallback(
    async (direction: Direction) => {
      const before = current.current;
      const cursor = direction === "after" ? before.at(-1)?.next : before[0]?.previous;
      if (!cursor || isBusy.current) return;
      isBusy.current = true;
      setLoading(true);
      const result = await load(direction, cursor).catch(() => null);
      isBusy.current = false;
      setLoading(false);
      if (result?.ok) {
        setFailure(null);
        // Another search that was shown meanwhile asks for its own.
        const extended =
          direction === "after" ? [...before, result.data] : [result.data, ...before];
        setPages((now) => (now === before ? extended : now));
      } else {
        const { message, requestId } = result ?? {
          message: "The server did not answer.",
          requestId: "",
        };
        setFailure({ direction, message, requestId });
      }
    },
    [load],
  );

  return { pages, more, failure, isLoading };
}
