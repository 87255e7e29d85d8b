import { createPrivateKey, sign } from "node:crypto";
import { z } from "zod";
import { tokenOf } from "./access-token";
import type { Transport } from "./destination";
import { Refusal } from "./object-store";
import { classifyStatus, problem } from "./problems";
import { answerOf } from "./request";

/** Service accounts of Google Cloud: a key file gives access tokens for an hour. */

const TOKEN = "access token";
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_S = 3_600;

const keyFile = z.object({
  type: z.literal("service_account"),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().min(1),
  token_uri: z.url().default("https://oauth2.googleapis.com/token"),
});
const refusalSchema = z.object({ error: z.string().regex(/^[\w.-]{1,40}$/) });

/** A service account's key file, as downloaded; what is not needed of it is not kept. */
export const serviceAccountKey = z.string().transform((entered, context) => {
  try {
    const key = keyFile.parse(JSON.parse(entered));
    if (createPrivateKey(key.private_key).asymmetricKeyType !== "rsa") throw new TypeError();
    return JSON.stringify(key);
  } catch {
    context.addIssue(
      'Enter the key file whole, as downloaded: JSON with "type": "service_account" and a private key.',
    );
    return z.NEVER;
  }
});

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT that asks for a token (RFC 7523 §2.1; Google, "Using OAuth 2.0 for server to server applications"). */
function assertionOf(key: z.infer<typeof keyFile>): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: key.client_email, scope: SCOPE, aud: key.token_uri };
  const text = [
    encoded({ alg: "RS256", typ: "JWT", kid: key.private_key_id }),
    encoded({ ...claims, iat, exp: iat + ASSERTION_S }),
  ].join(".");
  return `${text}.${sign("sha256", Buffer.from(text), key.private_key).toString("base64url")}`;
}

/**
 * `Bearer …`; kept until five minutes before it ends.
 * @param account as `serviceAccountKey` gives it
 * @throws Refusal
 */
export async function authorizationOf(account: string, transport: Transport): Promise<string> {
  const token = await transport.cached(TOKEN, async () => {
    const key = keyFile.parse(JSON.parse(account));
    const reply = await transport.http({
      method: "POST",
      url: key.token_uri,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ grant_type: GRANT, assertion: assertionOf(key) }).toString(),
      confidential: true,
    });
    const given = tokenOf(reply);
    if (given) return given;
    const plain = classifyStatus(reply, "Google's sign-in");
    if (plain.kind === "retry") throw new Refusal(plain);
    const error = answerOf(reply, refusalSchema)?.error ?? `http_${reply.status}`;
    const cause = problem(
      `google_${error}`,
      `Google gives no token to ${key.client_email}: ${error}.`,
      "The key may have been deleted or disabled, or this server's clock be wrong. Make another key of the service account, and enter its file.",
    );
    throw new Refusal({ kind: "config_error", problem: cause });
  });
  return `Bearer ${token}`;
}

/** For a failure that another token may cure. */
export const forgetAuthorization = (transport: Transport) => transport.forget(TOKEN);
