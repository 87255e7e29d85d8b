import { headers } from "next/headers";
import { publicUrl } from "@/lib/env";

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** How a page's reader seems to have come here. */
export async function readArrival(): Promise<{ host: string; isExposed: boolean }> {
  const received = await headers();
  const host = received.get("x-forwarded-host") ?? received.get("host") ?? "";
  const isEncrypted =
    received.get("x-forwarded-proto") === "https" || publicUrl().startsWith("https:");
  return { host, isExposed: !isEncrypted && !LOCAL.test(host) };
}
