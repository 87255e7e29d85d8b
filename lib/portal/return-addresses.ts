import { z } from "zod";

/** Where links of the portal may lead back to: as many addresses as an operator lists, or any while none is listed. */

const SHAPE = /^https?:\/\/(\*\.)?[^*/?#@\s]+(\/[^*?#\s]*)?$/;

/** `https://app.example.com`, with a path what lies below it; `https://*.example.com` any host below. */
export const returnAddressSchema = z
  .string()
  .trim()
  .max(500, "is too long")
  .refine((text) => SHAPE.test(text) && URL.canParse(text.replace("*.", "any.")), {
    error: "is not an address such as https://app.example.com or https://*.example.com/audit",
  });

/** Whether `address`, an absolute URL, is one of those listed or lies below one; with none listed any is. */
export function mayReturnTo(address: string, listed: readonly string[]): boolean {
  return listed.length === 0 || listed.some((entry) => covers(entry, new URL(address)));
}

function covers(entry: string, address: URL): boolean {
  const isAnyBelow = entry.includes("://*.");
  const listed = new URL(entry.replace("://*.", "://any."));
  const host = listed.hostname.slice(isAnyBelow ? "any".length : 0);
  const isHost = isAnyBelow ? address.hostname.endsWith(host) : address.hostname === host;
  const base = listed.pathname.replace(/\/$/, "");
  return (
    isHost &&
    address.protocol === listed.protocol &&
    address.port === listed.port &&
    // Whoever is named in it is not where it leads.
    address.username === "" &&
    address.password === "" &&
    (address.pathname === base || address.pathname.startsWith(`${base}/`)) &&
    // What a slash is behind a path may be read in two ways.
    (base === "" || !/%2f|%5c/i.test(address.pathname))
  );
}
