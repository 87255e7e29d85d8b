import { createHmac, randomBytes } from "node:crypto";
import { z } from "zod";
import {
  defineDestination,
  fitting,
  joined,
  MAX_BATCH_EVENTS,
  type StreamEvent,
  type Text,
} from "../destination";
import { endpoint, headerNames, headerValue } from "../endpoint";
import { field } from "../form";
import { encodeItem, type FormatId, OBJECT_FORMATS, workosEvent } from "../formats";
import { classifyStatus, problem } from "../problems";

const PREFIX = "whsec_";
const FORM = `A signing secret is ${PREFIX} followed by 24 to 64 bytes in base64. Leave it empty to have one made.`;

const signingSecret = z.string().transform((text, context) => {
  const encoded = text.replace(PREFIX, "");
  const key = Buffer.from(encoded, "base64");
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
  if (isBase64 && key.length >= 24 && key.length <= 64) return PREFIX + key.toString("base64");
  context.addIssue(FORM);
  return z.NEVER;
});

/** In our own format an envelope, `{ seq, chain_hash, recorded_at, event }`; a test also says `"test": true`. */
function payload(format: FormatId, item: StreamEvent): object | string {
  const { kind, seq, chainHash, recordedAt, event } = item;
  if (format === "workos") {
    // Contract §15, generic HTTPS.
    const evt = workosEvent(item);
    return { event: evt, keySuffix: evt.id, timestamp: recordedAt, source: "trailseal" };
  }
  if (format !== "trailseal") return encodeItem(format, item);
  const envelope = { seq, chain_hash: chainHash, recorded_at: recordedAt, event };
  return kind === "test" ? { test: true, ...envelope } : envelope;
}

/** The same as JSON. A stream that catches up sends thousands of these a second: they need not be made again for that. */
const encode = (format: FormatId, item: StreamEvent): Text =>
  (format === "trailseal" && item.envelope) || JSON.stringify(payload(format, item));

/** The package of the standard hashes in JavaScript: too slow for megabytes. */
const sign = (secret: string, head: string, body: Uint8Array) => {
  const key = Buffer.from(secret.replace(PREFIX, ""), "base64");
  return `v1,${createHmac("sha256", key).update(head).update(body).digest("base64")}`;
};

/** HTTPS requests signed after Standard Webhooks 1.0 (standardwebhooks.com). */
export const webhook = defineDestination({
  id: "webhook",
  label: "HTTPS webhook",
  about: "Signed POST requests of JSON or NDJSON, after Standard Webhooks.",
  contractType: "GenericHttps",
  formats: [...OBJECT_FORMATS, "workos"],
  configSchema: z.strictObject({
    url: field(endpoint(), {
      label: "Address",
      kind: "url",
      placeholder: "https://siem.example.com/audit",
      hint: "Events are sent by POST. Redirects are not followed.",
    }),
    format: field(z.enum(["json", "ndjson"]).default("json"), {
      label: "Body",
      kind: "choice",
      options: [
        {
          id: "json",
          label: "JSON array",
          about: `Up to ${MAX_BATCH_EVENTS.toLocaleString("en-US")} events per request, one array.`,
        },
        { id: "ndjson", label: "NDJSON", about: "One event per line." },
      ],
    }),
    headers: field(headerNames(), {
      label: "Custom headers",
      kind: "headers",
      hint: "Values are stored sealed and never shown again: put a bearer token here.",
    }),
  }),
  secrets: {
    signing_secret: {
      label: "Signing secret",
      placeholder: "whsec_…",
      hint: "Leave empty to have one made. It is shown once after saving, then never again.",
      schema: signingSecret,
      generate: () => PREFIX + randomBytes(32).toString("base64"),
    },
    header: { label: "Value", schema: headerValue },
  },
  endpoint: (config) => config.url,
  describe: (config) => config.url,

  frame(batch, config, secrets) {
    const items = fitting(batch, (item) => encode(batch.format, item));
    const isLines = config.format === "ndjson";
    const bytes = isLines ? joined("", items, "\n", "\n") : joined("[", items, ",", "]");
    const seconds = Math.floor(batch.sentAt.getTime() / 1000);
    // For a day after a rotation by the secret before, too: receivers take either signature.
    const signatures = [secrets.signing_secret ?? "", secrets["previous:signing_secret"] ?? ""]
      .filter((secret, at) => at === 0 || secret !== "")
      .map((secret) => sign(secret, `${batch.deliveryId}.${seconds}.`, bytes));
    return {
      url: config.url,
      method: "POST",
      headers: {
        ...Object.fromEntries(
          config.headers.map((name) => [name, secrets[`header:${name}`] ?? ""]),
        ),
        "content-type": isLines ? "application/x-ndjson" : "application/json",
        "webhook-id": batch.deliveryId,
        "webhook-timestamp": String(seconds),
        "webhook-signature": signatures.join(" "),
      },
      get body() {
        return bytes.toString();
      },
      bytes,
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
});
