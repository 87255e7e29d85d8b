import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { AppError } from "@/lib/errors";
import { readSecret } from "@/lib/secrets";
import { type LinkAccessKey, permissionOf } from "../access";
import type { Scope } from "../scope";

/** Contract §8. */
const LIFETIME_S = 600;

function signatureOf(path: string, organizationId: string, expires: string, epoch: string): Buffer {
  const secret = Buffer.from(readSecret("session"), "hex");
  const key = Buffer.from(hkdfSync("sha256", secret, "", "trailseal signed link", 32));
  return createHmac("sha256", key)
    .update(JSON.stringify([path, organizationId, expires, epoch]))
    .digest();
}

/**
 * A path of this server as a link that opens it for ten minutes without a key, for one organization.
 * @param epoch what is behind it compares it with its own: another one is a link that was revoked
 */
export function signLink(scope: Scope, path: string, epoch: number, nowMs = Date.now()): string {
  const { organizationId } = scope;
  const expires = String(Math.floor(nowMs / 1_000) + LIFETIME_S);
  const link = String(epoch);
  const signature = signatureOf(path, organizationId, expires, link).toString("base64url");
  const query = new URLSearchParams({ organization_id: organizationId, expires, link, signature });
  return `${path}?${query}`;
}

/**
 * What a link that signLink made opens, and the epoch that it was signed for.
 * @throws AppError forbidden for a link that was changed, never signed, or has run out.
 */
export function linkScope(
  request: Request,
  accessKey: LinkAccessKey,
  nowMs = Date.now(),
): { scope: Scope; epoch: number } {
  const { pathname, searchParams } = new URL(request.url);
  const part = (name: string) => searchParams.get(name) ?? "";
  const [organizationId, expires, epoch] = [part("organization_id"), part("expires"), part("link")];
  const given = Buffer.from(part("signature"), "base64url");
  const right = signatureOf(pathname, organizationId, expires, epoch);
  if (given.length !== right.length || !timingSafeEqual(given, right))
    throw new AppError("forbidden", "This link is not valid.");
  if (nowMs >= Number(expires) * 1_000)
    throw new AppError("forbidden", "This link has run out: ask for a new one.");
  const permissions = new Set([permissionOf(accessKey)]);
  return {
    scope: { principal: { kind: "link" }, permissions, organizationId } as unknown as Scope,
    epoch: Number(epoch),
  };
}
