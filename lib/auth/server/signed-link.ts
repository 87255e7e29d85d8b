import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { AppError } from "@/lib/errors";
import { readSecret } from "@/lib/secrets";
import { type LinkAccessKey, permissionOf } from "../access";
import type { Scope } from "../scope";

/** Contract §8. */
const LIFETIME_S = 600;

function signatureOf(path: string, organizationId: string, expires: string): Buffer {
  const secret = Buffer.from(readSecret("session"), "hex");
  const key = Buffer.from(hkdfSync("sha256", secret, "", "trailseal signed link", 32));
  return createHmac("sha256", key)
    .update(JSON.stringify([path, organizationId, expires]))
    .digest();
}

/** A path of this server as a link that opens it for ten minutes without a key, for one organization. */
export function signLink(scope: Scope, path: string, nowMs = Date.now()): string {
  const { organizationId } = scope;
  const expires = String(Math.floor(nowMs / 1_000) + LIFETIME_S);
  const signature = signatureOf(path, organizationId, expires).toString("base64url");
  const query = new URLSearchParams({ organization_id: organizationId, expires, signature });
  return `${path}?${query}`;
}

/**
 * What a link that signLink made opens, and when it was signed (whole seconds).
 * @throws AppError forbidden for a link that was changed, never signed, or has run out.
 */
export function linkScope(
  request: Request,
  accessKey: LinkAccessKey,
  nowMs = Date.now(),
): { scope: Scope; signedAt: Date } {
  const { pathname, searchParams } = new URL(request.url);
  const part = (name: string) => searchParams.get(name) ?? "";
  const [organizationId, expires] = [part("organization_id"), part("expires")];
  const given = Buffer.from(part("signature"), "base64url");
  const right = signatureOf(pathname, organizationId, expires);
  if (given.length !== right.length || !timingSafeEqual(given, right))
    throw new AppError("forbidden", "This link is not valid.");
  if (nowMs >= Number(expires) * 1_000)
    throw new AppError("forbidden", "This link has run out: ask for a new one.");
  const permissions = new Set([permissionOf(accessKey)]);
  return {
    scope: { principal: { kind: "link" }, permissions, organizationId } as unknown as Scope,
    signedAt: new Date((Number(expires) - LIFETIME_S) * 1_000),
  };
}
