import type { z } from "zod";
import type { DestinationId, Problem } from "./schema";

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

/** One item of a delivery. A test event is outside the chain: no seq, no hash. */
export interface StreamEvent {
  seq: number | null;
  /** Hex SHA-256 chain hash (integrity spec, leaf hash of this seq). */
  chainHash: string | null;
  recordedAt: string;
  event: WireEvent;
}

export interface Batch {
  /** Never empty, ascending by seq. */
  events: StreamEvent[];
  /** Repeats when the same range is sent again, so that receivers can drop the copy. */
  deliveryId: string;
  sentAt: Date;
}

export type Secrets = Readonly<Record<string, string>>;

export interface Frame {
  /** Path and query below the configured address's origin. */
  path: string;
  headers: Record<string, string>;
  body: string;
  /** How many of the events, from the first on, the body holds; at least one. */
  count: number;
}

export interface Reply {
  status: number;
  /** At most 64 kB of the answer. */
  body: string;
  /** Whole seconds from Retry-After, either form; null when absent. */
  retryAfterS: number | null;
}

/** What an answer means for the events of the request. */
export type Outcome =
  | { kind: "delivered" }
  /** Waiting may cure it. */
  | { kind: "retry"; problem: Problem; retryAfterS: number | null }
  /** Somebody has to change something; the events stay. */
  | { kind: "config_error"; problem: Problem }
  /** The content was refused as a whole: send less, down to one event, then set that one aside. */
  | { kind: "split"; problem: Problem }
  /** The first `accepted` events are in; the one after them was refused, the rest not looked at. */
  | { kind: "partial"; accepted: number; problem: Problem }
  /** The receiver wants no more. */
  | { kind: "gone"; problem: Problem };

export interface Destination<Config> {
  id: DestinationId;
  label: string;
  configSchema: z.ZodType<Config>;
  /** Fields that have to be stored before anything can be sent. */
  secretNames(config: Config): string[];
  /** @returns the secret as stored; throws AppError when its form is wrong. */
  parseSecret(name: string, value: string): string;
  /** A fresh value for a secret that the sender may choose, else null. */
  generateSecret(name: string): string | null;
  /** The address connected to. */
  url(config: Config): string;
  /** One line for lists. */
  describe(config: Config): string;
  frame(batch: Batch, config: Config, secrets: Secrets): Frame;
  classify(reply: Reply, count: number): Outcome;
}

/** Largest delivery. */
export const MAX_BATCH_EVENTS = 500;
export const MAX_BATCH_BYTES = 900_000;

/** Encoded events, as many from the first on as fit the byte limit, each counted with its separator. */
export function fitting(batch: Batch, encode: (item: StreamEvent) => string): string[] {
  const items: string[] = [];
  let bytes = 2;
  for (const event of batch.events.slice(0, MAX_BATCH_EVENTS)) {
    const item = encode(event);
    bytes += Buffer.byteLength(item) + 1;
    if (items.length > 0 && bytes > MAX_BATCH_BYTES) break;
    items.push(item);
  }
  return items;
}
