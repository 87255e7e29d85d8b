import { z } from "zod";
import { defineDestination, type Outcome, type Reply, type Secrets } from "../destination";
import { endpoint, text, token } from "../endpoint";
import { field } from "../form";
import { LINE_FORMATS } from "../formats";
import {
  frameFiles,
  frameLines,
  prefixField,
  putAll,
  rootOf,
  type Store,
  slashed,
} from "../object-store";
import { readObjects, S3_LISTING } from "../read-objects";
import { signGoogle } from "../signed-request";
import { classifyAnswer, S3_PASSING, S3_WRONG, type Words } from "../store-answers";

const WRONG: Record<string, Words> = {
  ...S3_WRONG,
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
  classifyAnswer(reply, { store: "Cloud Storage", passing: S3_PASSING, wrong: WRONG });

const open = ({ accessKeyId = "", secretAccessKey = "" }: Secrets): Store => ({
  sign: (request) => signGoogle(request, { accessKeyId, secretAccessKey }),
  headers: {},
  ifAbsent: { "x-goog-if-generation-match": "0" },
  isTaken: ({ status }) => status === 412,
  digestHeader: "x-goog-meta-sha256",
  classify,
});

const bucketUrl = ({ endpoint: url, bucket }: { endpoint: string; bucket: string }) =>
  `${slashed(url)}${bucket}/`;

/** Objects in Google Cloud Storage, by its XML API and HMAC keys. */
export const gcs = defineDestination({
  id: "gcs",
  label: "Google Cloud Storage",
  about: "One compressed object per batch, by an HMAC key.",
  contractType: "GoogleCloudStorage",
  formats: [...LINE_FORMATS, "workos"],
  configSchema: z.strictObject({
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
  }),
  secrets: {
    accessKeyId: {
      label: "Access ID",
      placeholder: "GOOG1E…",
      hint: "Of an HMAC key: Cloud Storage, Settings, Interoperability, keys of service accounts.",
      schema: token("An access ID"),
    },
    secretAccessKey: { label: "Secret", schema: token("A secret") },
  },
  endpoint: (config) => config.endpoint,
  describe: ({ bucket, prefix }) => `gs://${bucket}/${prefix ?? ""}`,
  deadlineMs: () => 20_000,

  frame(batch, config) {
    const root = rootOf(bucketUrl(config), config.prefix);
    return batch.format === "workos" ? frameFiles(batch, root, () => "") : frameLines(batch, root);
  },
  send: (frame, _config, secrets, transport) => putAll(frame, open(secrets), transport),
  classify,
  readBack: (prefixes, config, secrets, transport) =>
    readObjects(prefixes, transport, {
      open: async () => open(secrets),
      ...{ bucket: bucketUrl(config), prefix: config.prefix, listing: S3_LISTING },
      permissions: "the role Storage Object Viewer on the bucket",
    }),
});
