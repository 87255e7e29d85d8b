import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { AppError } from "@/lib/errors";
import { type Batch, type Destination, fitting, type StreamEvent } from "../destination";
import { classifyStatus, problem } from "../problems";
import { type WebhookConfig, webhookConfigSchema } from "../schema";

const PREFIX = "whsec_";

/** `{ seq, chain_hash, recorded_at, event }`; a test event also says `"test": true`. */
function encode({ seq, chainHash, recordedAt, event }: StreamEvent): string {
  const envelope = { seq, chain_hash: chainHash, recorded_at: recordedAt, event };
  return JSON.stringify(seq === null ? { test: true, ...envelope } : envelope);
}

function parseSigningSecret(value: string): string {
  const encoded = value.trim().replace(PREFIX, "");
  const key = Buffer.from(encoded, "base64");
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
  if (!isBase64 || key.length < 24 || key.length > 64) {
    throw new AppError(
      "invalid_request",
      `A signing secret is ${PREFIX} followed by 24 to 64 bytes in base64. Leave it empty to have one made.`,
      {
        errors: [
          { field: "secrets.signing_secret", code: "The signing secret has the wrong form." },
        ],
      },
    );
  }
  return PREFIX + key.toString("base64");
}

function parseHeaderValue(name: string, value: string): string {
  const trimmed = value.trim();
  if (!/^[\x20-\x7e]{1,4096}$/.test(trimmed)) {
    throw new AppError("invalid_request", "A header value has visible ASCII characters only.", {
      errors: [
        { field: `secrets.${name}`, code: "The header value has characters that HTTP refuses." },
      ],
    });
  }
  return trimmed;
}

/** HTTPS requests signed after Standard Webhooks 1.0 (standardwebhooks.com). */
export const webhook: Destination<WebhookConfig> = {
  id: "webhook",
  label: "HTTPS webhook",
  configSchema: webhookConfigSchema,
  secretNames: (config) => ["signing_secret", ...config.headers.map((name) => `header:${name}`)],
  parseSecret: (name, value) =>
    name === "signing_secret" ? parseSigningSecret(value) : parseHeaderValue(name, value),
  generateSecret: (name) =>
    name === "signing_secret" ? PREFIX + randomBytes(32).toString("base64") : null,
  url: (config) => config.url,
  describe: (config) => config.url,

  frame(batch: Batch, config, secrets) {
    const items = fitting(batch, encode);
    const isLines = config.format === "ndjson";
    const body = isLines ? `${items.join("\n")}\n` : `[${items.join(",")}]`;
    const seconds = Math.floor(batch.sentAt.getTime() / 1000);
    const signer = new Webhook(secrets.signing_secret ?? "");
    const { pathname, search } = new URL(config.url);
    return {
      path: pathname + search,
      headers: {
        ...Object.fromEntries(
          config.headers.map((name) => [name, secrets[`header:${name}`] ?? ""]),
        ),
        "content-type": isLines ? "application/x-ndjson" : "application/json",
        "webhook-id": batch.deliveryId,
        "webhook-timestamp": String(seconds),
        "webhook-signature": signer.sign(batch.deliveryId, batch.sentAt, body),
      },
      body,
      count: items.length,
    };
  },

  classify(reply) {
    if (reply.status === 410) {
      return {
        kind: "gone",
        problem: problem(
          "http_410",
          "The receiver answered 410: it wants no more events.",
          "The stream is switched off and keeps its place. Resume it when the receiver is back.",
        ),
      };
    }
    return classifyStatus(reply, "The receiver");
  },
};
