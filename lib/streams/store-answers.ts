import type { Outcome, Reply } from "./destination";
import { classifyStatus, KEPT, problem } from "./problems";

/** What object stores answer, in words: their errors have a code, and a status that says less. */

/** The text of an element that holds no other, from an error or a listing in XML. */
export function xmlText(xml: string, tag: string): string | undefined {
  return new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
}

export type Words = readonly [message: string, advice: string];

export interface Answers {
  /** "S3": it answered. */
  store: string;
  /** Somebody has to change something. */
  wrong: Readonly<Record<string, Words>>;
  /** Beside every 5xx, 408 and 429. */
  passing: readonly string[];
}

export const codeOf = ({ headers, body }: Reply) =>
  headers["x-ms-error-code"] ?? xmlText(body, "Code");

/**
 * A refusal hardly ever concerns the events: they are bytes to a store. So only what is too large is divided, and
 * nothing is set aside because a bucket is set up wrongly.
 */
export function classifyAnswer(reply: Reply, { store, wrong, passing }: Answers): Outcome {
  const { status } = reply;
  const code = codeOf(reply);
  const named = code ? problemCode(store, code) : `http_${status}`;
  const answered = `${store} answered ${status}${code ? `, ${code}` : ""}`;
  const words = code === undefined ? undefined : wrong[code];
  if (words)
    return { kind: "config_error", problem: problem(named, `${answered}: ${words[0]}`, words[1]) };
  if (status === 409 || status === 412 || (code && passing.includes(code)))
    return {
      kind: "retry",
      problem: problem(named, `${answered}.`, KEPT),
      retryAfterS: reply.retryAfterS,
    };
  const plain = classifyStatus(reply, store);
  if (plain.kind !== "split" || status === 413 || code === "EntityTooLarge") return plain;
  const advice = `Look the code up in the documentation of ${store}, and check bucket, region and endpoint.`;
  return { kind: "config_error", problem: problem(named, `${answered}.`, advice) };
}

export const problemCode = (store: string, code: string) =>
  `${store.toLowerCase().replaceAll(" ", "_")}_${code}`;

/** Of S3 and what follows its API. */
export const S3_PASSING = [
  ...["SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted"],
  ...[
    "ConditionalRequestConflict",
    "BadDigest",
    "IncompleteBody",
    "XAmzContentSHA256Mismatch",
    "ExpiredToken",
  ],
];

const ENTER_AGAIN = "Enter the access key ID and its secret again. Nothing is lost meanwhile.";

export const S3_WRONG: Record<string, Words> = {
  NoSuchBucket: [
    "there is no bucket of this name.",
    "Create the bucket, or correct its name. Names of other regions and accounts do not count.",
  ],
  InvalidBucketName: ["no bucket can have this name.", "Correct the name of the bucket."],
  InvalidAccessKeyId: ["the access key ID is not known.", ENTER_AGAIN],
  InvalidSecurity: ["the access ID is not known.", ENTER_AGAIN],
  SignatureDoesNotMatch: ["the secret does not belong to the access key ID.", ENTER_AGAIN],
  RequestTimeTooSkewed: [
    "the clock of this server is more than 15 minutes off.",
    "Set this server's clock, best by NTP.",
  ],
  AccountProblem: ["there is a problem with the account.", "Ask its owner, or its support."],
  AllAccessDisabled: ["access to the bucket is disabled.", "Ask the bucket's owner."],
  InvalidToken: ["the session token is not accepted.", ENTER_AGAIN],
  QuotaExceeded: ["the quota of the bucket is used up.", "Raise it, or remove old objects."],
  InsufficientStorage: ["the store is full.", "Make room in the store."],
  MethodNotAllowed: [
    "objects cannot be put there.",
    "Check the endpoint: it must be the store's S3 API, not its console.",
  ],
};
