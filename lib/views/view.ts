import type { TableLayout } from "@/lib/events/table-layout";

/** A search of the explorer under a name. Only its owner changes it; stars and defaults are each person's. */
export interface SavedView {
  id: string;
  name: string;
  /** The explorer's URL parameters that a view keeps, in a fixed order; empty: every event. */
  search: string;
  isShared: boolean;
  isMine: boolean;
  /** Of the owner; null when that user is gone. */
  ownerName: string | null;
  isStarred: boolean;
  /** What the reader's explorer opens with. */
  isDefault: boolean;
}

export interface OpenView extends SavedView {
  layout: TableLayout;
}

export interface ViewList {
  /** By name. */
  views: SavedView[];
  /** More are shared than are listed. */
  isCapped: boolean;
}

const KEPT_PARAMS = ["q", "range", "from", "to"] as const;

/** The part of the explorer's URL that a view keeps. */
export function viewSearchOf(params: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const param of KEPT_PARAMS) {
    const value = params.get(param);
    if (value) kept.set(param, value);
  }
  return kept.toString();
}

/** Carries the search beside the view's id, so that the link works for whoever may not see the view. */
export function viewHref(organizationId: string, view: { id: string; search: string }): string {
  return `/o/${organizationId}/events?${view.search}${view.search && "&"}view=${view.id}`;
}
