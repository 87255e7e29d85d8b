import pg from "pg";
import { BinaryRows } from "@/lib/db/binary-rows";
import { copyOut } from "@/lib/db/copy-out";
import { deliveryPool } from "@/lib/db/pool";
import type { FilterableEvent } from "@/lib/events/filter/match";
import type { StreamEvent, WireEvent } from "../destination";
import { problem } from "../problems";
import { Unusable } from "./load-stream";

/** A server that froze fails a read instead of hanging its lane; shorter than a lease. */
const READ_TIMEOUT_MS = 10_000;

/** What an erased actor or target looks like at every exit (integrity spec, erasure). */
const ERASED = '{"type":"erased","id":"erased"}';

/** The casts cost nothing, and hold the bytes to what the readers take them for. */
const COLUMNS = `e.seq::bigint, e.id::text, e.action::text, e.version::integer,
  e.occurred_at::timestamptz, e.recorded_at::timestamptz, e.chain_hash::bytea,
  e.actor::jsonb, e.targets::jsonb, e.context::jsonb, e.metadata::jsonb, e.erased::jsonb,
  CASE WHEN e.erased IS NOT NULL THEN (
    SELECT jsonb_agg(CASE jsonb_typeof(unit) WHEN 'null' THEN '${ERASED}' ELSE unit END)
    FROM jsonb_array_elements(e.targets::jsonb) AS unit) END`;
const [SEQ, ID, ACTION, VERSION, OCCURRED_AT, RECORDED_AT, CHAIN_HASH] = [0, 1, 2, 3, 4, 5, 6];
const [ACTOR, TARGETS, CONTEXT, METADATA, ERASURE, SHOWN_TARGETS] = [7, 8, 9, 10, 11, 12];
const FIELDS = 13;
/** jsonb is sent as its text, after a byte that says which version of that (jsonb_send). */
const JSONB_VERSION_BYTES = 1;

/** Events are written one behind the other, so many bytes at a time. */
const BLOCK_BYTES = 1_048_576;
/** As much as is written beside the texts and documents. */
const MOST_BESIDE = 512;
const TIME_BYTES = 24;
const BEFORE_EVENT = '","event":';

/** An event of the log, parsed only where a format or a destination looks into it. */
export class LogEvent implements StreamEvent {
  readonly kind = "event";
  #event: WireEvent | null = null;

  /** @param eventAt where the event begins in its envelope */
  constructor(
    readonly seq: number,
    readonly chainHash: string,
    readonly previousHash: string | null,
    readonly envelope: Buffer,
    private readonly eventAt: number,
  ) {}

  get recordedAt(): string {
    const end = this.eventAt - BEFORE_EVENT.length;
    return this.envelope.toString("latin1", end - TIME_BYTES, end);
  }

  get event(): WireEvent {
    this.#event ??= JSON.parse(this.#text) as WireEvent;
    return this.#event;
  }

  get #text(): string {
    return this.envelope.toString("utf8", this.eventAt, this.envelope.length - 1);
  }
}

/** The row at hand; it lasts until the next one. */
export class EventRow {
  /** Of the row at hand, once it was asked for. */
  #hash: string | null = null;
  #seqBefore = Number.NaN;
  #hashBefore = "";

  constructor(
    private readonly rows: BinaryRows,
    private readonly writer: EventWriter,
  ) {}

  get seq(): number {
    return this.rows.int8(SEQ);
  }

  toEvent(): LogEvent {
    const { seq } = this;
    const previous = this.#seqBefore === seq - 1 ? this.#hashBefore : null;
    return this.writer.write(this.rows, seq, this.#chainHash, previous);
  }

  get #chainHash(): string {
    this.#hash ??= this.rows.hex(CHAIN_HASH);
    return this.#hash;
  }

  /** The next row is behind this one in the chain, if its number says so. */
  pass(): void {
    this.#seqBefore = this.seq;
    this.#hashBefore = this.#chainHash;
    this.#hash = null;
  }

  /** For filters: what is erased is null. */
  toFilterable(): FilterableEvent {
    const { rows } = this;
    return {
      id: rows.text(ID),
      action: rows.text(ACTION),
      version: rows.int4(VERSION),
      actor: this.#parsed(ACTOR),
      targets: this.#parsed(TARGETS),
      context: this.#parsed(CONTEXT),
      metadata: this.#parsed(METADATA),
    };
  }

  /** Commitments of what was erased, by its place. */
  get erased(): Record<string, string> | null {
    return this.#parsed(ERASURE);
  }

  #parsed(field: number) {
    const { rows } = this;
    return rows.isNull(field) ? null : JSON.parse(rows.text(field).slice(JSONB_VERSION_BYTES));
  }
}

/** Writes events of one log as JSON: most of one goes out as the bytes that the database has of it. */
export class EventWriter {
  #rows!: BinaryRows;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #organization: string;

  constructor(organizationId: string) {
    this.#organization = `","organization_id":${JSON.stringify(organizationId)},"action":`;
  }

  /** The row at hand in its envelope. */
  write(rows: BinaryRows, seq: number, chainHash: string, previousHash: string | null): LogEvent {
    this.#rows = rows;
    const targets = rows.isNull(SHOWN_TARGETS) ? TARGETS : SHOWN_TARGETS;
    const action = this.#isPlain(ACTION) ? null : JSON.stringify(rows.text(ACTION));
    let most = MOST_BESIDE + this.#organization.length + chainHash.length;
    most += 3 * (action?.length ?? 0);
    most += rows.length(ID) + rows.length(ACTION) + rows.length(ACTOR) + rows.length(targets);
    most += rows.length(CONTEXT) + rows.length(METADATA);
    if (this.#block.length - this.#at < most) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, most));
      this.#at = 0;
    }
    const start = this.#at;
    this.#ascii('{"seq":');
    this.#ascii(String(seq));
    this.#ascii(',"chain_hash":"');
    this.#ascii(chainHash);
    this.#ascii('","recorded_at":"');
    this.#time(RECORDED_AT);
    this.#ascii(BEFORE_EVENT);
    const eventAt = this.#at - start;
    this.#ascii('{"id":"');
    this.#copy(ID, 0);
    this.#ascii(this.#organization);
    if (action === null) {
      this.#ascii('"');
      this.#copy(ACTION, 0);
      this.#ascii('"');
    } else this.#at += this.#block.write(action, this.#at);
    this.#ascii(',"version":');
    this.#ascii(String(rows.int4(VERSION)));
    this.#ascii(',"occurred_at":"');
    this.#time(OCCURRED_AT);
    this.#ascii('","actor":');
    if (rows.isNull(ACTOR)) this.#ascii(ERASED);
    else this.#copy(ACTOR, JSONB_VERSION_BYTES);
    this.#member(',"targets":', targets);
    this.#member(',"context":', CONTEXT);
    this.#member(',"metadata":', METADATA);
    this.#ascii("}}");
    const envelope = this.#block.subarray(start, this.#at);
    // Batches are most often arrays: those that lie so are copied at once.
    this.#ascii(",");
    return new LogEvent(seq, chainHash, previousHash, envelope, eventAt);
  }

  /** Whether a text is the same between quotes. */
  #isPlain(field: number): boolean {
    const { data, starts, ends } = this.#rows;
    for (let at = starts[field] as number; at < (ends[field] as number); at += 1) {
      const byte = data[at] as number;
      if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return false;
    }
    return true;
  }

  #member(name: string, field: number): void {
    if (this.#rows.isNull(field)) return;
    this.#ascii(name);
    this.#copy(field, JSONB_VERSION_BYTES);
  }

  #copy(field: number, skipped: number): void {
    this.#at = this.#rows.copy(field, skipped, this.#block, this.#at);
  }

  #ascii(text: string): void {
    const block = this.#block;
    let at = this.#at;
    for (let from = 0; from < text.length; from += 1) block[at++] = text.charCodeAt(from);
    this.#at = at;
  }

  /** Whole milliseconds, as the log keeps them. @throws Unusable */
  #time(field: number): void {
    const end = this.#rows.writeTime(field, this.#block, this.#at);
    if (end === this.#at) {
      const seq = this.#rows.int8(SEQ);
      const cause = `#${seq} has a time in the database that no sealed event has.`;
      const advice = "Verify the chain: the row was changed. Delivery waits there.";
      throw new Unusable(problem("event_changed", cause, advice));
    }
    this.#at = end;
  }
}

/**
 * Reads events of a log in COPY's binary format, one after another. An event knows the hash before its own where the
 * row before it is read too.
 * @param condition SQL of `events e`, made of numbers alone
 * @param writer of this organization's events, for who reads on
 */
export async function copyEvents(
  organizationId: string,
  condition: string,
  onRow: (row: EventRow) => void,
  writer = new EventWriter(organizationId),
): Promise<void> {
  const rows = new BinaryRows(FIELDS);
  const row = new EventRow(rows, writer);
  const query = `SELECT ${COLUMNS} FROM events e
    WHERE e.organization_id = ${pg.escapeLiteral(organizationId)} AND ${condition} ORDER BY e.seq`;
  const next = () => {
    onRow(row);
    row.pass();
  };
  const client = await deliveryPool().connect();
  let failure: unknown;
  try {
    const take = (data: Buffer, from: number, to: number) => rows.take(data, next, from, to);
    await copyOut(client, `COPY (${query}) TO STDOUT (FORMAT binary)`, take, READ_TIMEOUT_MS);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A COPY that was left in the middle leaves its connection unusable.
    client.release(failure !== undefined);
  }
}
