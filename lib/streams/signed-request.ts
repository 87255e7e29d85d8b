import { createHash, createHmac } from "node:crypto";
import aws4, { type Request } from "aws4";
import type { HttpRequest } from "./destination";

export interface AccessKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, text: string) =>
  createHmac("sha256", key).update(text).digest();

function signable({ method, url, headers, body }: HttpRequest, more: Partial<Request>): Request {
  const { host, pathname, search } = new URL(url);
  const content = body === undefined ? {} : { body: Buffer.from(body) };
  return { method, host, path: pathname + search, headers, ...content, ...more };
}

/** The request with an Authorization header of AWS Signature Version 4. */
export function signAws(
  request: HttpRequest,
  service: "s3" | "sts",
  region: string,
  keys: AccessKeys,
): HttpRequest {
  const { headers, path } = new aws4.RequestSigner(
    signable(request, { service, region }),
    keys,
  ).sign() as { headers: Record<string, unknown>; path: string };
  const texts = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { ...request, url: new URL(path, request.url).href, headers: Object.fromEntries(texts) };
}

/**
 * The same in the dialect of Cloud Storage, GOOG4-HMAC-SHA256: only with it are preconditions (x-goog-…) taken,
 * since a request may not have headers of both vendors. Source: its documentation, "Signatures", V4.
 */
export function signGoogle(request: HttpRequest, keys: AccessKeys): HttpRequest {
  const at = new Date().toISOString().replace(/[:-]|\.\d{3}/g, "");
  const headers = {
    ...request.headers,
    host: new URL(request.url).host,
    "x-goog-date": at,
    "x-goog-content-sha256": sha256(request.body ?? ""),
  };
  // The canonical request is the same one.
  const signer = new aws4.RequestSigner(
    signable({ ...request, headers }, { service: "s3", doNotModifyHeaders: true }),
    keys,
  );
  const scope = [at.slice(0, 8), "auto", "storage", "goog4_request"];
  const text = ["GOOG4-HMAC-SHA256", at, scope.join("/"), sha256(signer.canonicalString())];
  const key = scope.reduce<string | Buffer>(hmac, `GOOG4${keys.secretAccessKey}`);
  const signature = hmac(key as Buffer, text.join("\n")).toString("hex");
  const credential = `${keys.accessKeyId}/${scope.join("/")}`;
  const authorization = `GOOG4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signer.signedHeaders()}, Signature=${signature}`;
  return { ...request, headers: { ...headers, authorization } };
}
