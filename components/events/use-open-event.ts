"use client";

import { useSearchParams } from "next/navigation";
import { startTransition, useCallback, useEffect, useRef, useState } from "react";
import type { EventDetail } from "@/lib/events/schema";
import type { DetailState } from "./event-drawer";
import type { ExplorerActions } from "./explorer";

/**
 * The event that `event=` in the address names, and what is known about it.
 * @param initial the event that the page was painted with
 */
export function useOpenEvent(
  organizationId: string,
  read: ExplorerActions["read"],
  initial: EventDetail | null,
) {
  const { openId, openedId, setOpen } = useOpenId();
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
    const url = new URLSearchParams(location.search);
    if (id) url.set("event", id);
    else url.delete("event");
    // From one event to the next is no step back.
    const go = id && openedId.current ? "replaceState" : "pushState";
    setOpen(id);
    history[go](null, "", `${location.pathname}${url.size > 0 ? `?${url}` : ""}`);
  };
  return { openId, openedId, detail, open, retry: () => setAttempt((count) => count + 1) };
}

/**
 * Which event is open: at once, since keys come faster than the router follows the address. What the router
 * says later counts where it is what the address says.
 */
function useOpenId() {
  const params = useSearchParams();
  const [openId, setState] = useState(params.get("event"));
  const openedId = useRef(openId);
  const setOpen = useCallback((id: string | null) => {
    openedId.current = id;
    // What was pressed is painted first; the drawer, and the list beside it, come after.
    startTransition(() => setState(id));
  }, []);
  useEffect(() => {
    const id = params.get("event");
    if (idInAddress() === id) setOpen(id);
  }, [params, setOpen]);
  // A step back may undo a change that the router had not come to.
  useEffect(() => {
    const follow = () => setOpen(idInAddress());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, [setOpen]);
  return { openId, openedId, setOpen };
}

function idInAddress(): string | null {
  return new URLSearchParams(location.search).get("event");
}
