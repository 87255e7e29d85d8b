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

/** inet as sent in binary: family, bits of the mask, whether it is a network, length, address. */
const [BITS, ADDRESS] = [1, 4];
const IPV4_BITS = 32;

/** Whether an `ip` column, as sent in binary, is what its event's location says. */
export function isAddressOf(location: unknown, ip: Buffer | null): boolean {
  if (ip?.[BITS] === IPV4_BITS && ip.length === ADDRESS + 4) {
    if (location === `${ip[4]}.${ip[5]}.${ip[6]}.${ip[7]}`) return true;
  }
  const expected = ipOf(location);
  if (expected === null || ip === null) return expected === ip;
  const address = ip.subarray(ADDRESS);
  const wanted = Buffer.from(ipaddr.parse(expected).toByteArray());
  return ip[BITS] === address.length * 8 && address.equals(wanted);
}
