"use client";

import { useSearchParams } from "next/navigation";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import type { OpenView } from "@/lib/views/view";

interface OpenViewState {
  /** The view that the URL names, as far as the reader may see it. */
  view: OpenView | null;
  /** What the URL says: an id, `none`, or nothing. */
  viewId: string | null;
  /** Takes a view as it is after a change, without asking for the page again. */
  setView(view: OpenView): void;
}

const Context = createContext<OpenViewState>({ view: null, viewId: null, setView: () => {} });

/** @param props.view as the server read it */
export function OpenViewProvider(props: { view: OpenView | null; children: ReactNode }) {
  const viewId = useSearchParams().get("view");
  const [changed, setView] = useState<OpenView | null>(null);
  const view = [changed, props.view].find((known) => known?.id === viewId) ?? null;
  const value = useMemo(() => ({ view, viewId, setView }), [view, viewId]);
  return <Context value={value}>{props.children}</Context>;
}

export function useOpenView(): OpenViewState {
  return useContext(Context);
}

/** Where a change of the search leads: its view stays open, and no search is not the default view's. */
export function eventsHref(
  organizationId: string,
  params: URLSearchParams,
  viewId: string | null,
): string {
  const all = new URLSearchParams(params);
  if (viewId && viewId !== "none") all.set("view", viewId);
  else if (all.size === 0) all.set("view", "none");
  return `/o/${organizationId}/events?${all}`;
}
