import type { IncomingHttpHeaders } from "node:http";
import ipaddr from "ipaddr.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** @throws Error naming the part that is neither an address nor a CIDR range. */
export function parseRanges(list: string[], setting: string): Range[] {
  return list.map((part) => {
    if (ipaddr.isValidCIDR(part)) return ipaddr.parseCIDR(part);
    if (!ipaddr.isValid(part)) {
      throw new Error(`${setting}: ${part} is neither an address nor a CIDR range`);
    }
    const address = ipaddr.process(part);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  });
}

export function inRanges(text: string, ranges: Range[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some(([network, bits]) => {
    if (network.kind() !== address.kind()) return false;
    return address.match(network, bits);
  });
}

/**
 * The address a request came from: the peer's, or, through trusted proxies, the nearest address in
 * X-Forwarded-For that is not one of them.
 */
export function clientAddress(
  peer: string | undefined,
  headers: IncomingHttpHeaders,
  trusted: Range[],
): string {
  let address = normalise(peer ?? "");
  if (!inRanges(address, trusted)) return address;
  const forwarded = String(headers["x-forwarded-for"] ?? "").split(",");
  for (const hop of forwarded.reverse()) {
    const candidate = normalise(hop.trim());
    if (!ipaddr.isValid(candidate)) break;
    address = candidate;
    if (!inRanges(address, trusted)) break;
  }
  return address;
}

function normalise(text: string): string {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : text;
}
