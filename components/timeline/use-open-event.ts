"use client";

import { useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import type { DetailState } from "@/components/events/event-drawer";
import type { ExplorerActions } from "@/components/events/explorer";
import type { EventDetail } from "@/lib/events/schema";

/** The event that `event=` in the URL names, and what is known about it. */
export function useOpenEvent(
  organizationId: string,
  read: ExplorerActions["read"],
  initial: EventDetail | null,
) {
  const params = useSearchParams();
  const openId = params.get("event");
  const [detail, setDetail] = useState<DetailState>(
    initial ? { kind: "ready", event: initial } : { kind: "loading" },
  );
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt asks again.
  useEffect(() => {
    if (!openId) return;
    if (initial?.id === openId) return setDetail({ kind: "ready", event: initial });
    let isLeft = false;
    // An answer within a blink needs no skeleton.
    const timer = setTimeout(() => setDetail({ kind: "loading" }), 150);
    const show = (next: DetailState) => {
      clearTimeout(timer);
      if (!isLeft) setDetail(next);
    };
    read(organizationId, openId).then(
      (result) => {
        if (!result.ok)
          show({ kind: "error", message: result.message, requestId: result.requestId });
        else show(result.data ? { kind: "ready", event: result.data } : { kind: "missing" });
      },
      () => show({ kind: "error", message: "The server did not answer.", requestId: "" }),
    );
    return () => {
      isLeft = true;
      clearTimeout(timer);
    };
  }, [openId, initial, read, organizationId, attempt]);

  const open = (id: string | null) => {
    const url = new URLSearchParams(params);
    if (id) url.set("event", id);
    else url.delete("event");
    // From one event to the next is no step back.
    const go = id && openId ? "replaceState" : "pushState";
    history[go](null, "", `${location.pathname}?${url}`);
  };
  return { openId, detail, open, retry: () => setAttempt((count) => count + 1) };
}
