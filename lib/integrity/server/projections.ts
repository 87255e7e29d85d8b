import ipaddr from "ipaddr.js";
import { ipOf } from "@/lib/events/ip";
import type { SealedRow } from "./sealed-rows";

/** Which column beside an event's document differs from it; null when none does. */
export function wrongProjection(row: SealedRow): string | null {
  if (row.wrongProjection) return row.wrongProjection;
  const location = (row.content.context as { location?: unknown } | null)?.location;
  return sameAddress(ipOf(location), row.ip) ? null : "ip";
}

function sameAddress(expected: string | null, stored: string | null): boolean {
  if (expected === stored) return true;
  if (expected === null || stored === null || !ipaddr.isValid(stored)) return false;
  return addressBytes(expected) === addressBytes(stored);
}

const addressBytes = (text: string) => ipaddr.parse(text).toByteArray().join(".");
