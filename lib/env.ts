import path from "node:path";
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65535);
const commaList = z
  .string()
  .transform((text) => text.split(",").map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ""));
const limit = z.coerce.number().int().positive();
const flag = z
  .enum(["true", "false", "1", "0"])
  .transform((text) => text === "true" || text === "1");

const envSchema = z
  .object({
    /** Login that serves requests: a member of trailseal_app. Unset: the embedded server. */
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    /** Login that migrates; it owns the tables. Serving and the command line need it, workers do not. */
    DATABASE_OWNER_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    /** Login that stores what is signed: a member of trailseal_signer. Unset: DATABASE_URL's does. */
    DATABASE_SIGNER_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    /** Login that deletes what is past retention: a member of trailseal_retention. Unset: nothing is deleted by itself. */
    DATABASE_RETENTION_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    /** Days events are kept where an organization has no period of its own; unset: for ever. */
    TRAILSEAL_RETENTION_DAYS: z.coerce.number().int().min(1).max(3_650).optional(),
    /** Days between the end of that period and the deletion. */
    TRAILSEAL_RETENTION_GRACE_DAYS: z.coerce.number().int().min(0).max(365).default(7),
    /** Embedded database, secrets, locks. */
    TRAILSEAL_DATA_DIR: z
      .string()
      .min(1)
      .default(".data")
      .transform((dir) => path.resolve(dir)),
    /** Files of exports; `exports` in the data directory when unset. Hosts of one database share it. */
    TRAILSEAL_EXPORT_DIR: z.string().min(1).optional(),
    /** A bucket for files of exports instead, as hosts that share no directory need: its address with a prefix, if any. */
    TRAILSEAL_EXPORT_S3_URL: z.url({ protocol: /^https?$/ }).optional(),
    TRAILSEAL_EXPORT_S3_REGION: z.string().min(1).default("us-east-1"),
    TRAILSEAL_EXPORT_S3_KEY_ID: z.string().min(1).optional(),
    TRAILSEAL_EXPORT_S3_SECRET: z.string().min(1).optional(),
    /** Files that are uploaded to be imported; `imports` in the data directory when unset. They go to the bucket of exports, too. */
    TRAILSEAL_IMPORT_DIR: z.string().min(1).optional(),
    /** Largest file that may be uploaded, bytes as it comes. */
    TRAILSEAL_IMPORT_MAX_BYTES: limit.default(2_147_483_648),
    /** Where every checkpoint is published: a directory that this host's root does not rule, at best. */
    TRAILSEAL_WITNESS_DIR: z.string().min(1).optional(),
    /** Where every checkpoint is PUT: an object store, WebDAV, a small server; and what it is told as bearer. */
    TRAILSEAL_WITNESS_URL: z.url({ protocol: /^https?$/ }).optional(),
    TRAILSEAL_WITNESS_TOKEN: z.string().min(1).optional(),
    /** A program that has the signing key, and signs with it; unset: a seed under the data directory. */
    TRAILSEAL_SIGN_COMMAND: z.string().min(1).optional(),
    /** The one before it, while a key rotation overlaps. */
    TRAILSEAL_SIGN_COMMAND_PREVIOUS: z.string().min(1).optional(),
    /** Seals the keys that go with a backup; only the command line reads it. */
    TRAILSEAL_BACKUP_PASSPHRASE: z.string().min(12).optional(),
    /** Public base URL: links, cookies (Secure exactly when https). Unset: http://localhost:PORT. */
    TRAILSEAL_URL: z.url({ protocol: /^https?$/ }).optional(),
    /** Addresses or CIDR ranges whose X-Forwarded-For is believed. */
    TRUSTED_PROXIES: commaList.default([]),
    /** Address to listen on; every address when unset. */
    HOST: z.string().min(1).optional(),
    PORT: port.default(3000),
    /** First part of every log's origin; minted once per instance when unset. */
    TRAILSEAL_LOG_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._\-/]{0,199}$/)
      .optional(),
    TRAILSEAL_ADMIN_EMAIL: z.email().optional(),
    TRAILSEAL_ADMIN_PASSWORD: z.string().min(12).optional(),
    /** Minutes without a request after which a sign-in ends; hours after which it ends in any case. */
    TRAILSEAL_SESSION_IDLE_MINUTES: z.coerce.number().int().min(5).max(43_200).default(10_080),
    TRAILSEAL_SESSION_MAX_HOURS: z.coerce.number().int().min(1).max(8_760).default(720),
    /** Metadata limits of the WorkOS-compatible endpoint. */
    TRAILSEAL_METADATA_MAX_KEYS: limit.default(50),
    TRAILSEAL_METADATA_MAX_KEY_LENGTH: limit.default(40),
    TRAILSEAL_METADATA_MAX_VALUE_LENGTH: limit.default(500),
    /** true: an event without context.location is refused, as the vendor's OpenAPI file demands. */
    TRAILSEAL_REQUIRE_CONTEXT: flag.default(false),
    /** Addresses or CIDR ranges streams may reach although private, loopback or plain http. */
    TRAILSEAL_EGRESS_ALLOW: commaList.default([]),
    /** The mail server of alerts: smtp[s]://user:password@host:port. */
    TRAILSEAL_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
    /** Who gets alerts by mail, and from whom. */
    TRAILSEAL_ALERT_EMAIL: commaList.pipe(z.array(z.email()).min(1)).optional(),
    TRAILSEAL_ALERT_FROM: z.string().min(3).optional(),
    /** Gets alerts as POST requests, through the guard of streams; signed where there is a secret. */
    TRAILSEAL_ALERT_WEBHOOK: z.url({ protocol: /^https?$/ }).optional(),
    TRAILSEAL_ALERT_WEBHOOK_SECRET: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, {
        error: "is whsec_ followed by at least 24 bytes in base64",
      })
      .optional(),
    /** off: this server starts no worker of its own; `npm run worker` does the work, here or elsewhere. */
    TRAILSEAL_WORKER: z.enum(["on", "off"]).default("on"),
    /** Hours between tamper drills; 0: only when somebody asks. */
    TRAILSEAL_DRILL_HOURS: z.coerce.number().min(0).max(8_760).default(24),
    /** Where spans of OpenTelemetry are sent, as OTLP/HTTP: a collector, or the path for traces there. Unset: none are made. */
    OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
    /** true: none are made in any case. */
    OTEL_SDK_DISABLED: flag.default(false),
    /** What a monitoring system sends as bearer to read /metrics; unset: there is no such page. */
    TRAILSEAL_METRICS_TOKEN: z.string().min(16).optional(),
    /** Requests of one API key in a minute, all at once or spread; beyond is 429. */
    TRAILSEAL_RATE_LIMIT_PER_MINUTE: limit.default(60_000),
    /** What is written to standard error, as JSON lines. */
    TRAILSEAL_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
    /** Milliseconds a dashboard read may take in the database. */
    TRAILSEAL_STATEMENT_TIMEOUT_MS: limit.default(10_000),
  })
  .refine((env) => env.DATABASE_URL || !env.DATABASE_OWNER_URL, {
    message: "goes with DATABASE_URL: set both, or neither for the embedded server",
    path: ["DATABASE_OWNER_URL"],
  })
  .refine((env) => env.DATABASE_URL || !env.DATABASE_SIGNER_URL, {
    message: "goes with DATABASE_URL: the embedded server makes its own",
    path: ["DATABASE_SIGNER_URL"],
  })
  .refine(
    (env) =>
      !env.TRAILSEAL_EXPORT_S3_URL ===
        !(env.TRAILSEAL_EXPORT_S3_KEY_ID || env.TRAILSEAL_EXPORT_S3_SECRET) &&
      !env.TRAILSEAL_EXPORT_S3_KEY_ID === !env.TRAILSEAL_EXPORT_S3_SECRET,
    {
      message:
        "TRAILSEAL_EXPORT_S3_URL, TRAILSEAL_EXPORT_S3_KEY_ID and TRAILSEAL_EXPORT_S3_SECRET go together",
      path: ["TRAILSEAL_EXPORT_S3_URL"],
    },
  )
  .refine((env) => env.DATABASE_URL || !env.DATABASE_RETENTION_URL, {
    message: "goes with DATABASE_URL: the embedded server makes its own",
    path: ["DATABASE_RETENTION_URL"],
  })
  .refine((env) => env.TRAILSEAL_WITNESS_URL || !env.TRAILSEAL_WITNESS_TOKEN, {
    message: "goes with TRAILSEAL_WITNESS_URL",
    path: ["TRAILSEAL_WITNESS_TOKEN"],
  })
  .refine((env) => !env.TRAILSEAL_SMTP_URL === !env.TRAILSEAL_ALERT_EMAIL, {
    message: "TRAILSEAL_SMTP_URL and TRAILSEAL_ALERT_EMAIL go together",
    path: ["TRAILSEAL_ALERT_EMAIL"],
  })
  .refine((env) => !env.TRAILSEAL_ADMIN_EMAIL === !env.TRAILSEAL_ADMIN_PASSWORD, {
    message: "TRAILSEAL_ADMIN_EMAIL and TRAILSEAL_ADMIN_PASSWORD go together",
    path: ["TRAILSEAL_ADMIN_PASSWORD"],
  });

export type Env = z.infer<typeof envSchema>;

export const settingNames = Object.keys(envSchema.shape);

/** @throws Error naming every setting that is wrong; secrets are never repeated. */
export function parseEnv(source: Record<string, string | undefined>): Env {
  const present = Object.fromEntries(
    Object.entries(source).filter(([key, value]) => key in envSchema.shape && value !== ""),
  );
  const parsed = envSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`Settings are wrong:\n${lines.join("\n")}`);
}

let cached: Env | undefined;

/** The process's settings, parsed once. */
export function getEnv(): Env {
  cached ??= parseEnv(process.env);
  return cached;
}

/** The URL people and links use, without a trailing slash. */
export function publicUrl(env: Env = getEnv()): string {
  return (env.TRAILSEAL_URL ?? `http://localhost:${env.PORT}`).replace(/\/+$/, "");
}
