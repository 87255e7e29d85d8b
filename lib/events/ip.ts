import { isIP } from "node:net";

/**
 * The address in an event's location, as the `ip` column holds it: null unless the whole text is one
 * address in the usual spelling (locations are free text; inet knows no zone ids).
 */
export function ipOf(location: unknown): string | null {
  return typeof location === "string" && isIP(location) !== 0 && !location.includes("%")
    ? location
    : null;
}
