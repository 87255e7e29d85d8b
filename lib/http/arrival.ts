import { headers } from "next/headers";
import { getEnv, publicUrl } from "@/lib/env";

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** How a page's reader seems to have come here. */
export async function readArrival(): Promise<{ host: string; isExposed: boolean }> {
  const received = await headers();
  const host = received.get("x-forwarded-host") ?? received.get("host") ?? "";
  const isEncrypted =
    received.get("x-forwarded-proto") === "https" || publicUrl().startsWith("https:");
  return { host, isExposed: !isEncrypted && !LOCAL.test(host) };
}

/** Where a client finds this server: TRAILSEAL_URL, else the place that it sent this request to. */
export function originOf(request: Request): string {
  const { TRAILSEAL_URL: configured } = getEnv();
  if (configured) return publicUrl();
  // Of a chain of proxies the first one met the client.
  const first = (name: string) => request.headers.get(name)?.split(",", 1)[0]?.trim();
  const host = first("x-forwarded-host") ?? first("host");
  return host ? `${first("x-forwarded-proto") ?? "http"}://${host}` : publicUrl();
}
