"use client";

import { useSyncExternalStore } from "react";
import {
  readPreference,
  subscribePreferences,
  writePreference,
} from "@/components/shell/preferences";
import { isTimeZone, zoneOffsetMs } from "@/lib/events/zoned-time";

/** Whose clock times are shown by: the viewer's, UTC, or a zone's by its IANA name. Kept in this browser. */
export type Zone = "viewer" | "utc" | (string & {});

const [NAME, HOME] = ["zone", "zone.home"];

function read(name = NAME): Zone {
  const zone = readPreference(name);
  return zone && (zone === "utc" || isTimeZone(zone)) ? zone : "viewer";
}

export function setZone(zone: Zone): void {
  if (zone !== "utc") writePreference(HOME, zone === "viewer" ? null : zone);
  writePreference(NAME, zone === "viewer" ? null : zone);
}

/** From UTC back to the zone that was left for it. */
export function toggleUtc(): void {
  setZone(read() === "utc" ? read(HOME) : "utc");
}

/** The server knows no viewer and paints UTC; the browser takes over at once. */
export function useZone(): Zone {
  return useSyncExternalStore(subscribePreferences, read, () => "utc");
}

export interface Clock {
  /** `2026-11-23` */
  day: string;
  /** `14:02:41` */
  time: string;
  /** `.207` */
  milliseconds: string;
}

const pad = (value: number) => String(value).padStart(2, "0");

function offsetMs(zone: Zone, ms: number): number {
  if (zone === "utc") return 0;
  if (zone === "viewer") return -new Date(ms).getTimezoneOffset() * 60_000;
  return zoneOffsetMs(zone, ms);
}

/** @param iso a stored time: ISO 8601, UTC, milliseconds. */
export function clockOf(iso: string, zone: Zone): Clock {
  const ms = Date.parse(iso);
  const wall = zone === "utc" ? iso : new Date(ms + offsetMs(zone, ms)).toISOString();
  return { day: wall.slice(0, 10), time: wall.slice(11, 19), milliseconds: iso.slice(19, 23) };
}

/** `UTC`, `Europe/Oslo`: a name that the platform's tables know. */
export function zoneTitle(zone: Zone): string {
  if (zone === "utc") return "UTC";
  if (zone !== "viewer") return zone;
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return name === "Etc/UTC" ? "UTC" : name;
}

/** Offset in force at a moment, which summer time moves: `UTC`, `UTC+01:00`. */
export function zoneOffset(zone: Zone, iso: string): string {
  const minutes = Math.round(offsetMs(zone, Date.parse(iso)) / 60_000);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}
