import type { Transport } from "./destination";
import { Refusal } from "./object-store";
import { problem } from "./problems";
import { type AccessKeys, signAws } from "./signed-request";
import { codeOf, problemCode, S3_WRONG, type Words, xmlText } from "./store-answers";

const SESSION_S = 3_600;
const RENEW_BEFORE_MS = 300_000;
const NAME = "role";

const NOT_KNOWN = S3_WRONG.InvalidAccessKeyId as Words;
const WRONG: Record<string, Words> = {
  ...S3_WRONG,
  InvalidClientTokenId: NOT_KNOWN,
  AccessDenied: [
    "the keys may not assume the role.",
    "Allow it on both sides: the role's trust policy must name the keys' user as principal and, where it demands sts:ExternalId, the external ID shown here; the user needs sts:AssumeRole.",
  ],
  NoSuchEntity: ["there is no such role.", "Correct the role's ARN."],
  RegionDisabledException: [
    "STS is switched off in the region.",
    "Switch it on in the account's settings, or choose another region.",
  ],
};

export interface Role {
  /** Of the Security Token Service. */
  url: string;
  region: string;
  roleArn: string;
  externalId: string;
}

/**
 * Keys for an hour, by AssumeRole (AWS STS API 2011-06-15); kept until five minutes before they expire.
 * @throws Refusal
 */
export function assumeRole(role: Role, keys: AccessKeys, transport: Transport) {
  return transport.cached(NAME, async () => {
    const form = new URLSearchParams({
      ...{ Action: "AssumeRole", Version: "2011-06-15", RoleSessionName: "trailseal" },
      ...{ RoleArn: role.roleArn, ExternalId: role.externalId, DurationSeconds: `${SESSION_S}` },
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const request = { method: "POST" as const, url: role.url, headers, body: form.toString() };
    const reply = await transport.http({
      ...signAws(request, "sts", role.region, keys),
      // It holds keys.
      confidential: true,
    });
    const [accessKeyId, secretAccessKey, sessionToken, expiration] = (
      ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] as const
    ).map((tag) => xmlText(reply.body, tag));
    if (reply.status === 200 && accessKeyId && secretAccessKey && sessionToken && expiration) {
      const value: AccessKeys = { accessKeyId, secretAccessKey, sessionToken };
      return { value, expiresAt: new Date(Date.parse(expiration) - RENEW_BEFORE_MS) };
    }
    const code = codeOf(reply) ?? `${reply.status}`;
    const isPassing = reply.status >= 500 || reply.status === 429 || code === "Throttling";
    const [message, advice] = WRONG[code] ?? [
      "no keys came back.",
      "Check the role, the region and the STS endpoint.",
    ];
    const cause = problem(
      problemCode("STS", code),
      `STS answered ${reply.status}, ${code}: ${message}`,
      advice,
    );
    throw new Refusal(
      isPassing
        ? { kind: "retry", problem: cause, retryAfterS: reply.retryAfterS }
        : { kind: "config_error", problem: cause },
    );
  });
}

/** For a failure that other keys may cure. */
export const forgetRole = (transport: Transport) => transport.forget(NAME);
