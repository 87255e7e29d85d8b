import ipaddr from "ipaddr.js";

/** An address as events carry it: dotted quad or IPv6, without zone; null for anything else. */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (/^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text) && ipaddr.IPv4.isValid(text))
    return ipaddr.IPv4.parse(text);
  if (text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text))
    return ipaddr.IPv6.parse(text);
  return null;
}

/** A network `address/prefix`; host bits are allowed and ignored. */
export function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  const found = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (!found) return null;
  const address = parseAddress(found[1] as string);
  const prefix = Number(found[2]);
  if (!address || prefix > (address.kind() === "ipv4" ? 32 : 128)) return null;
  return [address, prefix];
}

export function isInNetwork(address: string, network: string): boolean {
  const parsed = parseAddress(address);
  const range = parseNetwork(network);
  if (!parsed || !range || parsed.kind() !== range[0].kind()) return false;
  return parsed.match(range as [ipaddr.IPv4, number] & [ipaddr.IPv6, number]);
}

/** The spellings of an address that senders commonly use, so that the text index finds all of them. */
export function addressSpellings(text: string): string[] {
  const address = parseAddress(text);
  if (address?.kind() !== "ipv6") return [text];
  const v6 = address as ipaddr.IPv6;
  const full = v6.parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
  const spellings = [text, v6.toRFC5952String(), v6.toNormalizedString(), full];
  return [...new Set([...spellings, ...spellings.map((spelling) => spelling.toUpperCase())])];
}
