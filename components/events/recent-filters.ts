"use client";

import { readPreference, writePreference } from "@/components/shell/preferences";

const MAX_RECENT = 8;

const nameOf = (organizationId: string) => `recent-filters.${organizationId}`;

/** Filters that were typed in this browser, the latest first, per organization. */
export function readRecentFilters(organizationId: string): string[] {
  try {
    const stored: unknown = JSON.parse(readPreference(nameOf(organizationId)) ?? "[]");
    return Array.isArray(stored) ? stored.filter((q) => typeof q === "string") : [];
  } catch {
    return [];
  }
}

export function rememberFilter(organizationId: string, q: string): void {
  if (q === "") return;
  const others = readRecentFilters(organizationId).filter((other) => other !== q);
  const recent = [q, ...others].slice(0, MAX_RECENT);
  writePreference(nameOf(organizationId), JSON.stringify(recent));
}
