import { z } from "zod";
import {
  defineDestination,
  type Outcome,
  type Reply,
  type Secrets,
  type Transport,
} from "../destination";
import { endpoint, text, token } from "../endpoint";
import { field } from "../form";
import { LINE_FORMATS } from "../formats";
import { authorizationOf, forgetAuthorization, serviceAccountKey } from "../google-account";
import {
  frameFiles,
  frameLines,
  prefixField,
  putAll,
  refusable,
  rootOf,
  type Store,
  slashed,
} from "../object-store";
import { readObjects, S3_LISTING } from "../read-objects";
import { signGoogle } from "../signed-request";
import { classifyAnswer, problemCode, S3_PASSING, S3_WRONG, type Words } from "../store-answers";

const ACCOUNT = { field: "auth", equals: "account" } as const;
const HMAC = { field: "auth", equals: "hmac" } as const;

const configSchema = z.strictObject({
  bucket: field(
    text(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "Small letters, digits and . _ - only."),
    {
      label: "Bucket",
      placeholder: "acme-audit",
      hint: "A retention policy of the bucket keeps objects from being deleted.",
    },
  ),
  prefix: prefixField(),
  endpoint: field(endpoint().default("https://storage.googleapis.com/"), {
    label: "Endpoint",
    kind: "url",
  }),
  auth: field(z.enum(["account", "hmac"]).default("account"), {
    label: "Access",
    kind: "choice",
    options: [
      { id: "account", label: "Service account", about: "By the file of one of its keys." },
      { id: "hmac", label: "HMAC key", about: "An access ID and a secret." },
    ],
  }),
});
type Config = z.infer<typeof configSchema>;

const STORE = "Cloud Storage";
const TOKEN_REFUSED = problemCode(STORE, "AuthenticationRequired");

const WRONG: Record<string, Words> = {
  ...S3_WRONG,
  AuthenticationRequired: [
    "the access token is not accepted.",
    "Check that the service account is enabled, and that the endpoint is Google's.",
  ],
  AccessDenied: [
    "the service account of the key may not create objects there.",
    "Grant it the role Storage Object Creator on the bucket.",
  ],
  UserProjectMissing: [
    "the bucket bills whoever asks.",
    "Switch requester pays off for the bucket, or choose another.",
  ],
};

const classify = (reply: Reply): Outcome =>
  classifyAnswer(reply, { store: STORE, passing: S3_PASSING, wrong: WRONG });

/** @throws Refusal when the service account gets no token */
async function open({ auth }: Config, secrets: Secrets, transport: Transport): Promise<Store> {
  const { accessKeyId = "", secretAccessKey = "", serviceAccount = "" } = secrets;
  const authorization =
    auth === "account" ? await authorizationOf(serviceAccount, transport) : null;
  return {
    sign: (request) =>
      authorization
        ? { ...request, headers: { ...request.headers, authorization } }
        : signGoogle(request, { accessKeyId, secretAccessKey }),
    headers: {},
    ifAbsent: { "x-goog-if-generation-match": "0" },
    isTaken: ({ status }) => status === 412,
    digestHeader: "x-goog-meta-sha256",
    classify,
  };
}

const bucketUrl = ({ endpoint: url, bucket }: { endpoint: string; bucket: string }) =>
  `${slashed(url)}${bucket}/`;

/** Objects in Google Cloud Storage, by its XML API, which takes service accounts' tokens and HMAC keys alike. */
export const gcs = defineDestination({
  id: "gcs",
  label: "Google Cloud Storage",
  about: "One compressed object per batch, by a service account or an HMAC key.",
  contractType: "GoogleCloudStorage",
  formats: [...LINE_FORMATS, "workos"],
  configSchema,
  secrets: {
    serviceAccount: {
      label: "Key file",
      placeholder: '{ "type": "service_account", … }',
      hint: "The JSON file of a service account's key, whole: IAM, Service accounts, Keys. It needs the role Storage Object Creator on the bucket.",
      multiline: true,
      when: ACCOUNT,
      schema: serviceAccountKey,
    },
    accessKeyId: {
      label: "Access ID",
      when: HMAC,
      placeholder: "GOOG1E…",
      hint: "Of an HMAC key: Cloud Storage, Settings, Interoperability, keys of service accounts.",
      schema: token("An access ID"),
    },
    secretAccessKey: { label: "Secret", when: HMAC, schema: token("A secret") },
  },
  endpoint: (config) => config.endpoint,
  describe: ({ bucket, prefix }) => `gs://${bucket}/${prefix ?? ""}`,
  deadlineMs: () => 20_000,

  frame(batch, config) {
    const root = rootOf(bucketUrl(config), config.prefix);
    return batch.format === "workos" ? frameFiles(batch, root, () => "") : frameLines(batch, root);
  },
  async send(frame, config, secrets, transport) {
    const attempt = () =>
      refusable(async () => putAll(frame, await open(config, secrets, transport), transport));
    const outcome = await attempt();
    if (outcome.kind === "delivered" || config.auth === "hmac") return outcome;
    forgetAuthorization(transport);
    // A token may end before its time.
    const isEnded = "problem" in outcome && outcome.problem.code === TOKEN_REFUSED;
    return isEnded ? attempt() : outcome;
  },
  classify,
  readBack: (prefixes, config, secrets, transport) =>
    readObjects(prefixes, transport, {
      open: () => open(config, secrets, transport),
      ...{ bucket: bucketUrl(config), prefix: config.prefix, listing: S3_LISTING },
      permissions: "the role Storage Object Viewer on the bucket",
    }),
});
