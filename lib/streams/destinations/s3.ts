import { randomBytes } from "node:crypto";
import { z } from "zod";
import { assumeRole, forgetRole } from "../assume-role";
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
import { problem } from "../problems";
import { readObjects, S3_LISTING } from "../read-objects";
import { signAws } from "../signed-request";
import {
  classifyAnswer,
  codeOf,
  S3_PASSING,
  S3_WRONG,
  type Words,
  xmlText,
} from "../store-answers";

const ROLE = { field: "auth", equals: "role" } as const;
const LOCK = { field: "lock", equals: true } as const;
const DAY_MS = 86_400_000;

const configSchema = z
  .strictObject({
    bucket: field(
      text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "3 to 63 small letters, digits, . and -."),
      { label: "Bucket", placeholder: "acme-audit" },
    ),
    region: field(
      text(/^[a-z0-9-]{2,40}$/, "A region is written like eu-central-1.").default("us-east-1"),
      { label: "Region" },
    ),
    prefix: prefixField(),
    endpoint: field(endpoint().optional(), {
      label: "Endpoint",
      kind: "url",
      placeholder: "https://s3.example.com",
      hint: "Of a store that speaks S3, such as Ceph. Empty: AWS.",
    }),
    auth: field(z.enum(["keys", "role"]).default("keys"), {
      label: "Access",
      kind: "choice",
      options: [
        { id: "keys", label: "Access keys", about: "Of a user who may put objects." },
        { id: "role", label: "Role", about: "The keys only assume a role, which may." },
      ],
    }),
    roleArn: field(
      text(
        /^arn:aws[\w-]*:iam::[^:\s]*:role\/[\w+=,.@/-]+$/,
        "Like arn:aws:iam::123456789012:role/audit.",
      ).optional(),
      { label: "Role ARN", when: ROLE, placeholder: "arn:aws:iam::123456789012:role/audit" },
    ),
    externalId: field(
      text(/^[\w+=,.@:/-]{2,200}$/, "2 to 200 letters, digits and + = , . @ : / - _.").default(
        () => `trailseal-${randomBytes(12).toString("hex")}`,
      ),
      {
        label: "External ID",
        when: ROLE,
        hint: "Made for this stream. Demand it in the role's trust policy, as sts:ExternalId.",
      },
    ),
    stsEndpoint: field(endpoint().optional(), {
      label: "STS endpoint",
      kind: "url",
      when: ROLE,
      hint: "Empty: the endpoint above, or AWS in the region.",
    }),
    kmsKeyId: field(text(/^[\w:/-]{1,2048}$/, "The key's ID or ARN.").optional(), {
      label: "KMS key",
      hint: "ID or ARN. Empty: the encryption that the bucket has by default.",
    }),
    lock: field(z.boolean().default(false), {
      label: "Object lock",
      kind: "switch",
      hint: "Objects cannot be deleted for a time. The bucket must have been created with object lock.",
    }),
    lockMode: field(z.enum(["governance", "compliance"]).default("governance"), {
      label: "Mode",
      kind: "choice",
      when: LOCK,
      options: [
        { id: "governance", label: "Governance", about: "People with a special permission may." },
        {
          id: "compliance",
          label: "Compliance",
          about: "Nobody may, not even the account's owner.",
        },
      ],
    }),
    lockDays: field(z.coerce.number().int().min(1).max(36_500).default(365), {
      label: "Days",
      kind: "number",
      when: LOCK,
    }),
  })
  .refine(({ auth, roleArn }) => auth === "keys" || roleArn !== undefined, {
    path: ["roleArn"],
    message: "Enter a value.",
  });
type Config = z.infer<typeof configSchema>;

const hostOf = (service: "s3" | "sts", { region }: Config) =>
  `${service}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;

/** In the host's name where a certificate can cover it, else in the path. */
function bucketUrl(config: Config): string {
  const { bucket } = config;
  if (config.endpoint) return `${slashed(config.endpoint)}${bucket}/`;
  const host = hostOf("s3", config);
  return bucket.includes(".") ? `https://${host}/${bucket}/` : `https://${bucket}.${host}/`;
}

const WRONG: Record<string, Words> = {
  ...S3_WRONG,
  AccessDenied: [
    "the keys may not put objects there.",
    "Allow s3:PutObject on the bucket's objects; with object lock s3:PutObjectRetention too, with a KMS key kms:GenerateDataKey. Some stores answer so to wrong keys, too.",
  ],
  InvalidRequest: [
    "the bucket does not take what is asked of it.",
    "Object lock works only in buckets that have it switched on.",
  ],
  "KMS.NotFoundException": ["there is no such KMS key.", "Correct the key, or its region."],
  "KMS.DisabledException": ["the KMS key is disabled.", "Enable the key in KMS."],
};

function classify(reply: Reply): Outcome {
  const region = reply.headers["x-amz-bucket-region"] ?? xmlText(reply.body, "Region");
  const isElsewhere = /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed)$/;
  if (region && isElsewhere.test(codeOf(reply) ?? "PermanentRedirect") && reply.status >= 300) {
    const message = `S3 answered ${reply.status}: the bucket is in ${region}.`;
    const cause = problem("s3_region", message, `Enter ${region} as the region.`);
    return { kind: "config_error", problem: cause };
  }
  return classifyAnswer(reply, { store: "S3", passing: S3_PASSING, wrong: WRONG });
}

function lockHeaders({ lock, lockMode, lockDays }: Config): Record<string, string> {
  if (!lock) return {};
  return {
    "x-amz-object-lock-mode": lockMode.toUpperCase(),
    "x-amz-object-lock-retain-until-date": new Date(Date.now() + lockDays * DAY_MS).toISOString(),
  };
}

/** @throws Refusal when the role cannot be assumed */
async function open(config: Config, secrets: Secrets, transport: Transport): Promise<Store> {
  const { region, roleArn, externalId, kmsKeyId } = config;
  const own = {
    accessKeyId: secrets.accessKeyId ?? "",
    secretAccessKey: secrets.secretAccessKey ?? "",
  };
  const sts = config.stsEndpoint ?? config.endpoint ?? `https://${hostOf("sts", config)}/`;
  const keys =
    config.auth === "role" && roleArn
      ? await assumeRole({ url: sts, region, roleArn, externalId }, own, transport)
      : own;
  return {
    sign: (request) => signAws(request, "s3", region, keys),
    headers: {
      ...lockHeaders(config),
      ...(kmsKeyId && {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": kmsKeyId,
      }),
    },
    ifAbsent: { "if-none-match": "*" },
    isTaken: ({ status }) => status === 412,
    digestHeader: "x-amz-meta-sha256",
    classify,
  };
}

/** PutObject of Amazon S3's REST API, and of the stores that follow it. */
export const s3 = defineDestination({
  id: "s3",
  label: "Amazon S3",
  about: "One compressed object per batch, in S3 or a store that speaks its API.",
  contractType: "S3",
  formats: [...LINE_FORMATS, "workos"],
  configSchema,
  secrets: {
    accessKeyId: { label: "Access key ID", schema: token("An access key ID") },
    secretAccessKey: { label: "Secret access key", schema: token("A secret access key") },
  },
  endpoint: (config) => config.endpoint ?? `https://${hostOf("s3", config)}/`,
  boundTo: ({ stsEndpoint }) => stsEndpoint && new URL(stsEndpoint).host,
  describe: ({ bucket, prefix, ...config }) =>
    `s3://${bucket}/${prefix ?? ""}${config.endpoint ? ` at ${new URL(config.endpoint).host}` : ""}`,
  deadlineMs: () => 20_000,

  frame(batch, config) {
    const root = rootOf(bucketUrl(config), config.prefix);
    return batch.format === "workos"
      ? frameFiles(batch, root, (at) => `${at.slice(0, 10)}/`)
      : frameLines(batch, root);
  },
  async send(frame, config, secrets, transport) {
    const outcome = await refusable(async () =>
      putAll(frame, await open(config, secrets, transport), transport),
    );
    if (outcome.kind !== "delivered") forgetRole(transport);
    return outcome;
  },
  classify,
  readBack: (prefixes, config, secrets, transport) =>
    readObjects(prefixes, transport, {
      open: () => open(config, secrets, transport),
      ...{ bucket: bucketUrl(config), prefix: config.prefix, listing: S3_LISTING },
      permissions: "s3:ListBucket on the bucket and s3:GetObject on its objects",
    }),
});
