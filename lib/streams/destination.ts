import type { Duplex } from "node:stream";
import type { z } from "zod";
import type { SecretSpec } from "./form";
import type { FormatId } from "./formats";
import type { Problem } from "./schema";

/** An event as `event.schema.json` has it, with its prefixed id. */
export interface WireEvent {
  id: string;
  organization_id: string;
  action: string;
  version: number;
  occurred_at: string;
  actor: unknown;
  targets: unknown[];
  context?: unknown;
  metadata?: unknown;
}

/**
 * One item of a delivery. `test` and `checkpoint` are events that we make: outside the chain, without seq and
 * hash. A checkpoint has the log's newest signed note in its metadata.
 */
export interface StreamEvent {
  kind: "event" | "test" | "checkpoint";
  seq: number | null;
  /** Hex SHA-256 chain hash (integrity spec, leaf hash of this seq). */
  chainHash: string | null;
  /** The same of the event before; null where the log does not have that one any more, and for the first. */
  previousHash: string | null;
  recordedAt: string;
  event: WireEvent;
  /** `{ seq, chain_hash, recorded_at, event }` as JSON in UTF-8, where that is at hand. */
  envelope?: Slice;
}

export interface Batch {
  /** Never empty, ascending by seq. */
  events: StreamEvent[];
  /** Repeats when the same range is sent again, so that receivers can drop the copy. */
  deliveryId: string;
  sentAt: Date;
  /** One of the destination's formats. */
  format: FormatId;
}

type ContractType =
  | "AzureSentinel"
  | "Datadog"
  | "GenericHttps"
  | "GoogleCloudStorage"
  | "S3"
  | "Splunk";

export type Secrets = Readonly<Record<string, string>>;

/** PEM texts. */
export interface TlsOptions {
  /** Trusted beside nothing else. */
  ca?: string;
  cert?: string;
  key?: string;
}

export interface HttpRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "MKCOL";
  url: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  tls?: TlsOptions;
  /** What a success answers is a credential: it is not kept to be shown. */
  confidential?: boolean;
}

export interface Reply {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** At most 64 kB of the answer. */
  body: string;
  /** Whole seconds from Retry-After, either form; null when absent. */
  retryAfterS: number | null;
}

/** One request, framed. */
export interface Frame {
  /** What is connected to: http(s)://…, or tcp://host:port, tls://host:port. */
  url: string;
  method: "POST" | "PUT";
  headers: Record<string, string>;
  body: string;
  /** The same as it goes out, where that is at hand. */
  bytes?: Uint8Array;
  /** The body goes out compressed, with its content-encoding. */
  gzip?: boolean;
  /** For `send`: the events are several requests, one each, in order; `body` is what people see of them. */
  parts?: { url: string; body: string }[];
  tls?: TlsOptions;
  /** How many of the events, from the first on, the body holds; at least one. */
  count: number;
  /** The receiver would cut the frame's only event without a word: it is set aside instead of sent. */
  tooLarge?: Problem;
}

/** The guarded way out. Every address that is dialled passes the egress policy. */
export interface Transport {
  /** @throws EgressError, or the socket's, TLS's or undici's error: a failure that the engine classifies. */
  http(request: HttpRequest): Promise<Reply>;
  /** A connected TCP socket, or TLS one with its handshake done. */
  connect(host: string, port: number, tls: TlsOptions | null): Promise<Duplex>;
  /** A value that lives across sends of this stream, as an access token does; made again when it expires. */
  cached<T>(name: string, make: () => Promise<{ value: T; expiresAt: Date }>): Promise<T>;
  forget(name: string): void;
  /** Aborts at the deadline of the send. */
  readonly signal: AbortSignal;
}

/** The same, for reading back what lies at the receiver. */
export interface ReadTransport extends Transport {
  /** As `http`, with the bytes of the answer up to another limit than 64 kB. */
  download(request: HttpRequest, maxReplyBytes: number): Promise<Reply & { bytes: Uint8Array }>;
}

export interface StoredObject {
  key: string;
  /** Decompressed; null when it is not what we put there. */
  text: string | null;
}

/** What an answer means for the events of the request. */
export type Outcome =
  /**
   * `note`: how that is known, where the protocol has no answers. The warning is shown; it says what the receiver
   * admits to have lost without saying which.
   */
  | { kind: "delivered"; note?: string; warning?: Problem }
  /** Waiting may cure it. */
  | { kind: "retry"; problem: Problem; retryAfterS: number | null }
  /** Somebody has to change something; the events stay. */
  | { kind: "config_error"; problem: Problem }
  /** The content was refused as a whole: send less, down to one event, then set that one aside. */
  | { kind: "split"; problem: Problem }
  /** The first `accepted` events are in; the one after them was refused, the rest not looked at. */
  | { kind: "partial"; accepted: number; problem: Problem }
  /** All are in but these, by their place in the frame: they are set aside. */
  | { kind: "rejected"; rejected: { index: number; problem: Problem }[] }
  /** The receiver wants no more. */
  | { kind: "gone"; problem: Problem };

/**
 * A kind of receiver, declared once: what is entered, what is secret, how events are framed, what answers mean.
 * `frame` and `classify` are pure; `send` is there for what takes more than one request.
 */
export interface Destination<Schema extends z.ZodObject = z.ZodObject> {
  id: string;
  label: string;
  /** One line on the card. */
  about: string;
  /** In the words of the compatible API: contract §9, §15. What it has no word for is GenericHttps. */
  contractType: ContractType;
  /** The first is the default. */
  formats: readonly [FormatId, ...FormatId[]];
  configSchema: Schema;
  secrets: Record<string, SecretSpec>;
  /** The address that secrets go to: when its scheme, host or port changes, they have to be entered again. */
  endpoint(config: z.infer<Schema>): string;
  /** More of the configuration that secrets are bound to. */
  boundTo?(config: z.infer<Schema>): unknown;
  /** One line for lists. */
  describe(config: z.infer<Schema>): string;
  /** Longest send, milliseconds; 10,000 when absent. */
  deadlineMs?(config: z.infer<Schema>): number;
  frame(batch: Batch, config: z.infer<Schema>, secrets: Secrets): Frame;
  /** One POST or PUT of the frame, and `classify`, when absent. */
  send?(
    frame: Frame,
    config: z.infer<Schema>,
    secrets: Secrets,
    transport: Transport,
  ): Promise<Outcome>;
  /** @param count how many events the frame held */
  classify(reply: Reply, count: number): Outcome;
  /**
   * What lies there under each of these prefixes (`nameOf` in object-store.ts), for a comparison with the log.
   * @throws Refusal, or as Transport.http
   */
  readBack?(
    prefixes: Iterable<string>,
    config: z.infer<Schema>,
    secrets: Secrets,
    transport: ReadTransport,
  ): AsyncIterable<StoredObject>;
}

/** Keeps the schema's type for the members that are inferred from it. */
export function defineDestination<Schema extends z.ZodObject>(
  destination: Destination<Schema>,
): Destination<Schema> {
  return destination;
}

/** Largest delivery. */
export const MAX_BATCH_EVENTS = 1_000;
export const MAX_BATCH_BYTES = 900_000;

/** Bytes in a block that holds many events: a view of each would be an object more for each event. */
export interface Slice {
  readonly block: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A text or its bytes in UTF-8. */
export type Text = string | Slice;

const lengthOf = (text: Text): number =>
  typeof text === "string" ? Buffer.byteLength(text) : text.end - text.start;

function write(text: Text, target: Buffer, at: number): number {
  if (typeof text === "string") return at + target.write(text, at);
  target.set(text.block.subarray(text.start, text.end), at);
  return at + lengthOf(text);
}

/** Whether `next` lies behind `text` in the same block, with room for one byte between them. */
const isNext = (text: Text, next: Text | undefined): next is Slice =>
  typeof text !== "string" &&
  next !== undefined &&
  typeof next !== "string" &&
  next.block === text.block &&
  next.start === text.end + 1;

/** From one to another that lies behind it in the same block. */
function span(first: Text, last: Text): Text {
  if (first === last || typeof first === "string" || typeof last === "string") return first;
  return { block: first.block, start: first.start, end: last.end };
}

/**
 * The items between two texts, as bytes: one after another, since a text of megabytes is slow to encode. What lies one
 * behind the other is copied at once.
 * @param separator one character of ASCII
 */
export function joined(open: string, items: Text[], separator: string, close: string): Buffer {
  let length = lengthOf(open) + Math.max(0, items.length - 1) + lengthOf(close);
  for (const item of items) length += lengthOf(item);
  const bytes = Buffer.allocUnsafe(length);
  let at = write(open, bytes, 0);
  const between = separator.charCodeAt(0);
  for (let place = 0; place < items.length; ) {
    if (place > 0) bytes[at++] = between;
    const first = place;
    do place += 1;
    while (isNext(items[place - 1] as Text, items[place]));
    const end = write(span(items[first] as Text, items[place - 1] as Text), bytes, at);
    for (let last = first; last < place - 1; last += 1) {
      at += lengthOf(items[last] as Text);
      bytes[at++] = between;
    }
    at = end;
  }
  write(close, bytes, at);
  return bytes;
}

/**
 * Encoded events, as many from the first on as fit the limits, each counted with its separator. One larger than
 * `item` bytes is alone.
 */
export function fitting<Item extends Text = string>(
  batch: Batch,
  encode: (item: StreamEvent) => Item,
  limits: { events?: number; bytes?: number; item?: number } = {},
): Item[] {
  const { events = MAX_BATCH_EVENTS, bytes: most = MAX_BATCH_BYTES, item: each = most } = limits;
  const items: Item[] = [];
  let bytes = 2;
  for (const event of batch.events.slice(0, events)) {
    const item = encode(event);
    const size = lengthOf(item);
    bytes += size + 1;
    if (items.length > 0 && (bytes > most || size > each)) break;
    items.push(item);
    if (size > each) break;
  }
  return items;
}
