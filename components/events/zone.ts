"use client";

import { useSyncExternalStore } from "react";

/** Whose clock times are shown by: the viewer's, or UTC. Kept in this browser. */
export type Zone = "viewer" | "utc";

const KEY = "trailseal.zone";
const listeners = new Set<() => void>();

function read(): Zone {
  return localStorage.getItem(KEY) === "utc" ? "utc" : "viewer";
}

export function setZone(zone: Zone): void {
  localStorage.setItem(KEY, zone);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The server knows no viewer and paints UTC; the browser takes over at once. */
export function useZone(): Zone {
  return useSyncExternalStore(subscribe, read, () => "utc");
}

export interface Clock {
  /** `2026-11-23` */
  day: string;
  /** `14:02:41` */
  time: string;
  /** `.207` */
  milliseconds: string;
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** @param iso a stored time: ISO 8601, UTC, milliseconds. */
export function clockOf(iso: string, zone: Zone): Clock {
  if (zone === "utc")
    return { day: iso.slice(0, 10), time: iso.slice(11, 19), milliseconds: iso.slice(19, 23) };
  const local = new Date(iso);
  return {
    day: `${pad(local.getFullYear(), 4)}-${pad(local.getMonth() + 1)}-${pad(local.getDate())}`,
    time: `${pad(local.getHours())}:${pad(local.getMinutes())}:${pad(local.getSeconds())}`,
    milliseconds: iso.slice(19, 23),
  };
}

/** `UTC`, `Europe/Oslo`. */
export function zoneTitle(zone: Zone): string {
  if (zone === "utc") return "UTC";
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === "Etc/UTC" ? "UTC" : name;
}

/** Offset in force at a moment, which summer time moves: `UTC`, `UTC+01:00`. */
export function zoneOffset(zone: Zone, iso: string): string {
  const minutes = zone === "utc" ? 0 : -new Date(iso).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}
