import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import { z } from "zod";
import {
  type Batch,
  defineDestination,
  fitting,
  type Outcome,
  type StreamEvent,
  type WireEvent,
} from "../destination";
import { authority, trusting } from "../endpoint";
import { field } from "../form";
import { encodeItem, LINE_FORMATS } from "../formats";
import { problem } from "../problems";

const INFORMATIONAL = 6;
/** RFC 5612: the enterprise number kept for examples. Trailseal has none of its own. */
const EXAMPLE_ENTERPRISE = 32_473;
/** What every receiver should take (RFC 5425 §4.3.1), and what none that we know chokes on: rsyslog loses the framing beyond 200,000. */
const MESSAGE_BYTES: [least: number, most: number, initial: number] = [8_192, 65_536, 65_536];
/** How long a receiver may take to refuse a connection that it has accepted, beside the round trip. */
const REFUSAL_MS = 50;

/** What a message that is too large goes without, one after the other until it fits. */
const DISPENSABLE: [string, Partial<WireEvent>][] = [
  ["metadata", { metadata: undefined }],
  ["context", { context: undefined }],
  ["targets", { targets: [] }],
  ["actor", { actor: { type: "omitted", id: "omitted" } }],
];

const clientIdentity = z.string().refine((pem) => {
  try {
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}, "Paste a certificate in PEM and its own private key, without a passphrase, one below the other.");

const number = (label: string, [least, most, initial]: [number, number, number], hint: string) =>
  field(z.coerce.number("Enter a number.").int().min(least).max(most).default(initial), {
    ...{ label, hint, kind: "number" },
  });

const configSchema = z.strictObject({
  host: field(
    z
      .string()
      .trim()
      .toLowerCase()
      .max(255)
      .regex(/^([a-z0-9._-]+|[0-9a-f:.]+)$/, "Enter a host name or an address alone."),
    { label: "Host", placeholder: "syslog.example.com" },
  ),
  port: number("Port", [1, 65_535, 6_514], "6514 is usual with TLS."),
  transport: field(z.enum(["tls", "mtls", "tcp"]).default("tls"), {
    label: "Connection",
    kind: "choice",
    options: [
      { id: "tls", label: "TLS" },
      { id: "mtls", label: "TLS with a client certificate" },
      { id: "tcp", label: "TCP", about: "Readable on the way. An operator has to allow it." },
    ],
  }),
  ca: authority(),
  awaitClose: field(z.boolean().default(true), {
    label: "Wait until the receiver closes the connection",
    kind: "switch",
    hint: "Syslog has no answers: only this shows that everything was read. Switch it off for receivers that never close.",
  }),
  facility: number("Facility", [0, 23, 13], "13 is log audit; 16 to 23 are local0 to local7."),
  appName: field(
    z
      .string()
      .regex(/^[\x21-\x7e]{1,48}$/, "1 to 48 visible ASCII characters.")
      .default("trailseal"),
    { label: "App name" },
  ),
  enterprise: number(
    "Enterprise number",
    [1, 4_294_967_295, EXAMPLE_ENTERPRISE],
    `Of the structured data. ${EXAMPLE_ENTERPRISE} is the one for examples: enter your organization's if it has one.`,
  ),
  maxBytes: number(
    "Largest message, bytes",
    MESSAGE_BYTES,
    "Larger events go without metadata, context, targets or actor and say so. rsyslog cuts at 8192 unless its maxMessageSize is raised.",
  ),
});
type Config = z.infer<typeof configSchema>;

const address = ({ transport, host, port }: Config) =>
  `${transport === "tcp" ? "tcp" : "tls"}://${host.includes(":") ? `[${host}]` : host}:${port}`;

/** SD-PARAMs without those that are null (RFC 5424 §6.3.3). */
function params(values: Record<string, string | number | null>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${String(value).replace(/["\\\]]/g, "\\$&")}"`)
    .join("");
}

/** HEADER SP STRUCTURED-DATA SP BOM and the event's text (RFC 5424 §6). MSGID is what kind of item it is. */
function message(item: StreamEvent, omitted: string[], format: Batch["format"], config: Config) {
  const { kind, seq, chainHash, recordedAt, event } = item;
  const encoded = encodeItem(format, item);
  const priority = config.facility * 8 + INFORMATIONAL;
  const header = `<${priority}>1 ${event.occurred_at} trailseal ${config.appName} - ${kind}`;
  const data = params({
    ...{ seq, id: event.id, chainHash, recordedAt },
    ...{ organizationId: event.organization_id, action: event.action },
    truncated: omitted.length > 0 ? omitted.join(" ") : null,
  });
  const text = typeof encoded === "string" ? encoded : JSON.stringify(encoded);
  return `${header} [trailseal@${config.enterprise}${data}] \uFEFF${text}`;
}

/** `LEN SP MSG`, octet counting (RFC 6587 §3.4.1, RFC 5425 §4.3). */
function framed(item: StreamEvent, format: Batch["format"], config: Config): string {
  const omitted: string[] = [];
  // Written out: an item of the log has getters, which a spread leaves behind.
  const { kind, seq, chainHash, previousHash, recordedAt } = item;
  let { event } = item;
  let text = message(item, omitted, format, config);
  for (const [name, without] of DISPENSABLE) {
    if (Buffer.byteLength(text) <= config.maxBytes) break;
    omitted.push(name);
    event = { ...event, ...without };
    const shorter = { kind, seq, chainHash, previousHash, recordedAt, event };
    text = message(shorter, omitted, format, config);
  }
  return `${Buffer.byteLength(text)} ${text}`;
}

const retry = (code: string, message: string, advice: string): Outcome => ({
  ...{ kind: "retry", retryAfterS: null },
  problem: problem(code, message, advice),
});

/**
 * Writes and half-closes; the receiver's own close after that says that it has read to the end. One that
 * accepts and closes at once, as without a free session, is found out by the pause before the half-close.
 * What a receiver has read and not stored when it dies is not known to anybody: syslog has no word for it.
 */
function handOver(socket: Duplex, body: string, pauseMs: number, awaitClose: boolean) {
  return new Promise<Outcome>((resolve, reject) => {
    const closed = () => {
      resolve(
        socket.writableFinished
          ? { kind: "delivered", note: "read to the end, closed by the receiver" }
          : retry(
              "closed_early",
              "The receiver closed the connection before it had read everything.",
              "Trailseal sends the events again. If this repeats, look into the receiver's log.",
            ),
      );
      socket.destroy();
    };
    socket.once("end", closed).once("close", closed);
    socket.once("error", (error) => {
      if (error.name !== "TimeoutError" || !socket.writableFinished) return reject(error);
      resolve(
        retry(
          "not_closed",
          "The receiver did not close the connection, so it is not known what it has read.",
          "Trailseal sends the events again. For a receiver that never closes, switch the waiting off.",
        ),
      );
    });
    if (!awaitClose)
      socket.once("finish", () => resolve({ kind: "delivered", note: "sent, not confirmed" }));
    socket.resume().write(body, (error) => {
      if (!error) setTimeout(() => socket.end(), pauseMs);
    });
  });
}

/**
 * Syslog messages of RFC 5424 in octet counting, over TLS (RFC 5425) or TCP (RFC 6587). The structured data
 * `trailseal@<enterprise>` (RFC 5424 §6.3.2) has seq, id, chainHash, recordedAt, organizationId and action,
 * and, when the event did not fit into `maxBytes`, `truncated` with the names of what was left out: the
 * event is whole in the log, found by its id.
 */
export const syslog = defineDestination({
  id: "syslog",
  label: "Syslog",
  about: "RFC 5424 over TLS or TCP: rsyslog, syslog-ng, and SIEMs with a syslog input.",
  // The nearest of those that clients of the compatible API know.
  contractType: "GenericHttps",
  formats: [...LINE_FORMATS],
  configSchema,
  secrets: {
    client_identity: {
      label: "Client certificate and key",
      hint: "PEM: the certificate and its private key, one below the other.",
      multiline: true,
      when: { field: "transport", equals: "mtls" },
      schema: clientIdentity,
    },
  },
  endpoint: address,
  boundTo: ({ ca }) => ca ?? null,
  describe: ({ transport, host, port }) =>
    `${host}:${port}, ${transport === "tcp" ? "TCP" : "TLS"}`,

  frame(batch, config, { client_identity: identity }) {
    const items = fitting(batch, (item) => framed(item, batch.format, config));
    const own = identity ? { cert: identity, key: identity } : {};
    return {
      url: address(config),
      method: "POST",
      headers: {},
      body: items.join(""),
      ...(config.transport === "tcp" ? {} : { tls: { ...trusting(config).tls, ...own } }),
      count: items.length,
    };
  },

  async send(frame, { host, port, awaitClose }, _secrets, transport) {
    const started = Date.now();
    const socket = await transport.connect(host, port, frame.tls ?? null);
    // A refusal takes one round trip; connecting took at least as long.
    const pauseMs = REFUSAL_MS + Date.now() - started;
    return handOver(socket, frame.body, pauseMs, awaitClose);
  },

  classify() {
    throw new Error("syslog has no answers");
  },
});
