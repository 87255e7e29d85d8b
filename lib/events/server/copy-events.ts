import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { ipOf } from "../ip";
import type { NewEvent } from "../schema";

/** COPY: the cheapest way in for many rows, and one that Citus routes by row. */

export interface CopyBatch {
  organizationId: string;
  /** Sequence number of the first; the others follow without a gap. */
  firstSeq: number;
  recordedAt: string;
  events: { event: NewEvent; id: string; salts: Buffer; apiKeyId?: string | null }[];
  /** Chain hashes, in step with the events. */
  hashes: Buffer[];
}

/** Writes the rows of a batch into events and event_targets, within the caller's transaction. */
export async function copyEvents(client: pg.PoolClient, batch: CopyBatch): Promise<void> {
  await copyRows(client, EVENT_COPY, inChunks(batch, eventRows));
  await copyRows(client, TARGET_COPY, inChunks(batch, targetRows));
}

const EVENT_COPY = `COPY events (organization_id, seq, recorded_at, occurred_at, version, id, action,
  actor, targets, context, metadata, salts, chain_hash, ip, api_key_id) FROM STDIN`;
const TARGET_COPY = `COPY event_targets (organization_id, target_type, target_id, occurred_at, seq, recorded_at) FROM STDIN`;

const ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** One value in COPY's text format (PostgreSQL manual, COPY, "Text Format"). */
function copyText(text: string): string {
  return /[\\\n\r\t]/.test(text)
    ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] as string)
    : text;
}

const copyJson = (value: unknown) => (value === null ? "\\N" : copyText(JSON.stringify(value)));
const copyBytes = (bytes: Buffer) => `\\\\x${bytes.toString("hex")}`;

function eventRows({ organizationId, firstSeq, recordedAt, events, hashes }: CopyBatch): string {
  let text = "";
  events.forEach(({ event, id, salts, apiKeyId }, position) => {
    const { action, version, occurredAt, actor, targets, context, metadata } = event;
    const head = `${organizationId}\t${firstSeq + position}\t${recordedAt}\t${occurredAt}\t${version}\t${id}\t${copyText(action)}`;
    const units = `${copyJson(actor)}\t${copyJson(targets)}\t${copyJson(context)}\t${copyJson(metadata)}`;
    const proof = `${copyBytes(salts)}\t${copyBytes(hashes[position] as Buffer)}`;
    text += `${head}\t${units}\t${proof}\t${ipOf(context?.location) ?? "\\N"}\t${apiKeyId ?? "\\N"}\n`;
  });
  return text;
}

/** One row per distinct target of an event. */
function targetRows({ organizationId, firstSeq, recordedAt, events }: CopyBatch): string {
  let text = "";
  events.forEach(({ event }, position) => {
    const seen = new Set<string>();
    for (const target of event.targets) {
      const key = `${copyText(target.type as string)}\t${copyText(target.id as string)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      text += `${organizationId}\t${key}\t${event.occurredAt}\t${firstSeq + position}\t${recordedAt}\n`;
    }
  });
  return text;
}

/** Text of so many events at a time: the server reads one chunk while the next is written. */
const CHUNK_EVENTS = 64;

function* inChunks(batch: CopyBatch, toText: (batch: CopyBatch) => string): Generator<Buffer> {
  for (let at = 0; at < batch.events.length; at += CHUNK_EVENTS) {
    const text = toText({
      ...batch,
      firstSeq: batch.firstSeq + at,
      events: batch.events.slice(at, at + CHUNK_EVENTS),
      hashes: batch.hashes.slice(at, at + CHUNK_EVENTS),
    });
    if (text !== "") yield Buffer.from(text);
  }
}

async function copyRows(
  client: pg.PoolClient,
  sql: string,
  chunks: Iterable<Buffer>,
): Promise<void> {
  await pipeline(Readable.from(chunks), client.query(copyFrom(sql)));
}
