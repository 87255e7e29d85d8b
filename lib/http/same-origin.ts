import type { IncomingHttpHeaders } from "node:http";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** Host and port of a URL or an Origin header; null for `null` and for what is no URL. */
export function hostOf(url: string): string | null {
  try {
    return new URL(url).host || null;
  } catch {
    return null;
  }
}

/**
 * Whether a browser sends this request on behalf of a page of somebody else: cross-site request forgery.
 * Clients that are no browsers send neither header; they carry nobody's cookies.
 * @param ownHosts hosts under which this server is reached, besides the one in the request.
 */
export function isForgedMutation(
  method: string | undefined,
  headers: IncomingHttpHeaders,
  ownHosts: string[],
): boolean {
  if (SAFE_METHODS.includes(method ?? "GET")) return false;
  const site = headers["sec-fetch-site"];
  const { origin } = headers;
  // A form on a page without referrers sends "null" even to its own server.
  if (origin === undefined || origin === "null") {
    return site === undefined ? origin === "null" : site !== "same-origin" && site !== "none";
  }
  const forwarded = String(headers["x-forwarded-host"] ?? "")
    .split(",", 1)[0]
    ?.trim();
  const own = [headers.host, forwarded, ...ownHosts];
  const host = hostOf(origin);
  return host === null || !own.some((candidate) => candidate?.toLowerCase() === host);
}
