import { randomBytes } from "node:crypto";
import type http from "node:http";

/** By which a page learns the nonce of its answer. */
export const NONCE_HEADER = "x-nonce";

/** Of every answer. A page is never shown inside another, and nothing of an address leaves with a link. */
const ALWAYS = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** A year, as browsers' preload lists ask for. */
const TRANSPORT = "max-age=31536000";

/**
 * Content Security Policy Level 3. Scripts run by the nonce of this answer, and what they load with them; styles as
 * attributes are the widths and places of bars, rows and columns.
 */
const pagePolicy = (nonce: string) =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

/** Answers of the API are never a page. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/**
 * Sets what keeps a browser from doing more than it has to. Next takes the nonce of its scripts from the policy that
 * the request has, so what a client sent there is replaced.
 */
export function secure(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { isPage, isEncrypted }: { isPage: boolean; isEncrypted: boolean },
): void {
  for (const [name, value] of Object.entries(ALWAYS)) response.setHeader(name, value);
  if (isEncrypted) response.setHeader("Strict-Transport-Security", TRANSPORT);
  const nonce = randomBytes(16).toString("base64");
  const policy = isPage ? pagePolicy(nonce) : DATA_POLICY;
  delete request.headers["content-security-policy-report-only"];
  request.headers["content-security-policy"] = policy;
  request.headers[NONCE_HEADER] = nonce;
  response.setHeader("Content-Security-Policy", policy);
}
