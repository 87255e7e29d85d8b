import { binaryQuery, type Statement } from "@/lib/db/binary-query";
import { BinaryRows, copyBytes, viewOf } from "@/lib/db/binary-rows";
import { deliveryPool } from "@/lib/db/pool";
import type { FilterableEvent } from "@/lib/events/filter/match";
import type { Slice, StreamEvent, WireEvent } from "../destination";
import { problem } from "../problems";
import { Unusable } from "./load-stream";

/** A server that froze fails a read instead of hanging its lane; shorter than a lease. */
const READ_TIMEOUT_MS = 10_000;

/** What an erased actor or target looks like at every exit (integrity spec, erasure). */
const ERASED = '{"type":"erased","id":"erased"}';

/** The casts cost nothing, and hold the bytes to what the readers take them for. */
const COLUMNS = `e.seq::bigint, e.id::text, e.action::text, e.version::integer,
  e.occurred_at::timestamptz, e.recorded_at::timestamptz, e.chain_hash::bytea,
  e.actor::jsonb, e.targets::jsonb, e.context::jsonb, e.metadata::jsonb, e.erased::jsonb`;
const [SEQ, ID, ACTION, VERSION, OCCURRED_AT, RECORDED_AT, CHAIN_HASH] = [0, 1, 2, 3, 4, 5, 6];
const [ACTOR, TARGETS, CONTEXT, METADATA, ERASURE] = [7, 8, 9, 10, 11];
const FIELDS = 12;
/** jsonb is sent as its text, after a byte that says which version of that (jsonb_send). */
const JSONB_VERSION_BYTES = 1;

/** Events are written one behind the other, into blocks of so many bytes. */
const BLOCK_BYTES = 1_048_576;
const MOST_SPARE = 4;
/** As much as is written beside the texts and documents. */
const MOST_BESIDE = 512;
const TIME_BYTES = 24;
const HASH_BYTES = 32;
const HASH_DIGITS = 2 * HASH_BYTES;

/** What is written between them. */
const constant = (text: string): DataView => viewOf(Buffer.from(text));
const BEFORE_SEQ = constant('{"seq":');
const BEFORE_HASH = constant(',"chain_hash":"');
const BEFORE_RECORDED = constant('","recorded_at":"');
const BEFORE_EVENT = constant('","event":');
const BEFORE_ID = constant('{"id":"');
const BEFORE_VERSION = constant(',"version":');
const BEFORE_OCCURRED = constant(',"occurred_at":"');
const BEFORE_ACTOR = constant('","actor":');
const BEFORE_TARGETS = constant(',"targets":');
const BEFORE_CONTEXT = constant(',"context":');
const BEFORE_METADATA = constant(',"metadata":');
const ERASED_ACTOR = constant(ERASED);
const QUOTE = constant('"');
const END = constant("}}");
/** Batches are most often arrays: those that lie so are copied at once. */
const BETWEEN = constant(",");

/**
 * An event of the log as it lies in a block of many, parsed only where a format or a destination looks into it: a stream
 * that catches up makes a hundred thousand of these a second, so each is one object of numbers.
 */
export class LogEvent implements StreamEvent, Slice {
  readonly kind = "event";
  #event: WireEvent | null = null;

  /**
   * @param start of its envelope in the block
   * @param eventAt where the event begins in it
   * @param blockBefore where the hash before is written; null: it is not known
   */
  constructor(
    readonly seq: number,
    readonly block: Buffer,
    readonly start: number,
    readonly end: number,
    private readonly hashAt: number,
    private readonly eventAt: number,
    private readonly blockBefore: Buffer | null,
    private readonly hashBeforeAt: number,
  ) {}

  get envelope(): Slice {
    return this;
  }

  get chainHash(): string {
    return hashIn(this.block, this.hashAt);
  }

  get previousHash(): string | null {
    return this.blockBefore && hashIn(this.blockBefore, this.hashBeforeAt);
  }

  /** The first block that it needs. */
  get oldest(): Buffer {
    return this.blockBefore ?? this.block;
  }

  get recordedAt(): string {
    const end = this.eventAt - BEFORE_EVENT.byteLength;
    return this.block.toString("latin1", end - TIME_BYTES, end);
  }

  get event(): WireEvent {
    this.#event ??= JSON.parse(this.#text) as WireEvent;
    return this.#event;
  }

  get #text(): string {
    return this.block.toString("utf8", this.eventAt, this.end - 1);
  }
}

const hashIn = (block: Buffer, at: number): string =>
  block.toString("latin1", at, at + HASH_DIGITS);

/** The row at hand; it lasts until the next one. */
export class EventRow {
  /** Whether its hash lies in an event. */
  #isWritten = false;

  constructor(
    private readonly rows: BinaryRows,
    private readonly writer: EventWriter,
  ) {}

  get seq(): number {
    return this.rows.int8(SEQ);
  }

  toEvent(): LogEvent {
    this.#isWritten = true;
    return this.writer.write(this.rows, this.seq);
  }

  /** The next row is behind this one in the chain, if its number says so. */
  pass(): void {
    if (!this.#isWritten) this.writer.keepHash(this.rows, this.seq);
    this.#isWritten = false;
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
  /** In the order of writing: their events may be read again. */
  readonly #used: Buffer[] = [];
  /** To be written anew. */
  readonly #spare: Buffer[] = [];
  #block: Buffer = Buffer.alloc(0);
  #view = viewOf(this.#block);
  #at = 0;
  /** Of the row before. */
  #seqBefore = Number.NaN;
  #blockBefore: Buffer = this.#block;
  #hashBeforeAt = 0;
  #isKept = false;
  readonly #organization: DataView;

  constructor(organizationId: string) {
    this.#organization = constant(
      `","organization_id":${JSON.stringify(organizationId)},"action":`,
    );
  }

  /** The row at hand in its envelope. @throws Unusable */
  write(rows: BinaryRows, seq: number): LogEvent {
    this.#rows = rows;
    const targets = rows.isNull(ERASURE) ? null : constant(shownTargets(rows.text(TARGETS)));
    const action = this.#isPlain(ACTION) ? null : JSON.stringify(rows.text(ACTION));
    let most = MOST_BESIDE + this.#organization.byteLength + 3 * (action?.length ?? 0);
    most += rows.length(ID) + rows.length(ACTION) + rows.length(ACTOR) + rows.length(CONTEXT);
    most += rows.length(METADATA) + (targets?.byteLength ?? rows.length(TARGETS));
    this.#makeRoom(most);
    const start = this.#at;
    this.#put(BEFORE_SEQ);
    this.#ascii(String(seq));
    this.#put(BEFORE_HASH);
    const hashAt = this.#at;
    if (rows.length(CHAIN_HASH) !== HASH_BYTES) throw changed(seq, "a chain hash");
    this.#at = rows.writeHex(CHAIN_HASH, this.#view, hashAt);
    this.#put(BEFORE_RECORDED);
    this.#time(RECORDED_AT);
    this.#put(BEFORE_EVENT);
    const eventAt = this.#at;
    this.#put(BEFORE_ID);
    this.#copy(ID, 0);
    this.#put(this.#organization);
    if (action === null) {
      this.#put(QUOTE);
      this.#copy(ACTION, 0);
      this.#put(QUOTE);
    } else this.#at += this.#block.write(action, this.#at);
    this.#put(BEFORE_VERSION);
    this.#ascii(String(rows.int4(VERSION)));
    this.#put(BEFORE_OCCURRED);
    this.#time(OCCURRED_AT);
    this.#put(BEFORE_ACTOR);
    if (rows.isNull(ACTOR)) this.#put(ERASED_ACTOR);
    else this.#copy(ACTOR, JSONB_VERSION_BYTES);
    this.#put(BEFORE_TARGETS);
    if (targets) this.#put(targets);
    else this.#copy(TARGETS, JSONB_VERSION_BYTES);
    this.#member(BEFORE_CONTEXT, CONTEXT);
    this.#member(BEFORE_METADATA, METADATA);
    this.#put(END);
    const end = this.#at;
    this.#put(BETWEEN);
    const before = this.#seqBefore === seq - 1 ? this.#blockBefore : null;
    const event = new LogEvent(
      seq,
      this.#block,
      start,
      end,
      hashAt,
      eventAt,
      before,
      this.#hashBeforeAt,
    );
    this.#passed(seq, hashAt, false);
    return event;
  }

  /** Of a row that is no event of the stream: the next one may be, and names it. */
  keepHash(rows: BinaryRows, seq: number): void {
    // Where one was kept and no event came after it, nobody needs it.
    if (this.#isKept) this.#at = this.#hashBeforeAt;
    this.#makeRoom(HASH_DIGITS);
    const at = this.#at;
    // What is not sent holds nothing up: the next event then does not know the hash before its own.
    const isHash = rows.length(CHAIN_HASH) === HASH_BYTES;
    if (isHash) this.#at = rows.writeHex(CHAIN_HASH, this.#view, at);
    this.#passed(isHash ? seq : Number.NaN, at, isHash);
  }

  /**
   * Nobody reads what was written before this event again. Megabytes that are given back so are written anew: fresh ones
   * for every request would have the collector walk the whole heap every few of them.
   */
  release({ oldest }: LogEvent): void {
    // Events that are sent again are of other writers.
    if (!this.#used.includes(oldest)) return;
    while (this.#used[0] !== oldest) {
      const block = this.#used.shift() as Buffer;
      if (block.length === BLOCK_BYTES && this.#spare.length < MOST_SPARE) this.#spare.push(block);
    }
  }

  #passed(seq: number, hashAt: number, isKept: boolean): void {
    this.#seqBefore = seq;
    this.#isKept = isKept;
    this.#blockBefore = this.#block;
    this.#hashBeforeAt = hashAt;
  }

  #makeRoom(bytes: number): void {
    if (this.#block.length - this.#at >= bytes) return;
    const spare = bytes <= BLOCK_BYTES ? this.#spare.pop() : undefined;
    this.#block = spare ?? Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    this.#used.push(this.#block);
    this.#view = viewOf(this.#block);
    this.#at = 0;
    this.#isKept = false;
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

  #member(name: DataView, field: number): void {
    if (this.#rows.isNull(field)) return;
    this.#put(name);
    this.#copy(field, JSONB_VERSION_BYTES);
  }

  #put(bytes: DataView): void {
    this.#at = copyBytes(bytes, 0, bytes.byteLength, this.#view, this.#at);
  }

  #copy(field: number, skipped: number): void {
    this.#at = this.#rows.copy(field, skipped, this.#view, this.#at);
  }

  #ascii(text: string): void {
    const block = this.#block;
    let at = this.#at;
    for (let from = 0; from < text.length; from += 1) block[at++] = text.charCodeAt(from);
    this.#at = at;
  }

  /** Whole milliseconds, as the log keeps them. @throws Unusable */
  #time(field: number): void {
    const end = this.#rows.writeTime(field, this.#view, this.#at);
    if (end === this.#at) throw changed(this.#rows.int8(SEQ), "a time");
    this.#at = end;
  }
}

/** A jsonb array of targets as text, where what is erased is null. */
function shownTargets(jsonb: string): string {
  let depth = 0;
  return jsonb.slice(JSONB_VERSION_BYTES).replace(/"(?:[^"\\]|\\.)*"|[[\]{}]|null/g, (token) => {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    return token === "null" && depth === 1 ? ERASED : token;
  });
}

function changed(seq: number, what: string): Unusable {
  const cause = `#${seq} has ${what} in the database that no sealed event has.`;
  const advice = "Verify the chain: the row was changed. Delivery waits there.";
  return new Unusable(problem("event_changed", cause, advice));
}

/** Sequence numbers: from one to another, that one not included, or single ones. */
export type Seqs = { from: number; end: number } | number[];

function statement(organizationId: string, seqs: Seqs): Statement {
  const [condition, ...values] = Array.isArray(seqs)
    ? (["e.seq = ANY($2::bigint[])", `{${seqs}}`] as const)
    : (["e.seq >= $2 AND e.seq < $3", String(seqs.from), String(seqs.end)] as const);
  return {
    text: `SELECT ${COLUMNS} FROM events e WHERE e.organization_id = $1 AND ${condition} ORDER BY e.seq`,
    values: [organizationId, ...values],
  };
}

/**
 * Reads events of a log in binary, one after another. An event knows the hash before its own where the row before it is
 * read too.
 * @param writer of this organization's events, for who reads on
 */
export async function readEvents(
  organizationId: string,
  seqs: Seqs,
  onRow: (row: EventRow) => void,
  writer = new EventWriter(organizationId),
): Promise<void> {
  const rows = new BinaryRows(FIELDS, true);
  const row = new EventRow(rows, writer);
  const next = () => {
    onRow(row);
    row.pass();
  };
  const client = await deliveryPool().connect();
  let failure: unknown;
  try {
    const take = (data: Buffer, from: number, to: number) => rows.take(data, next, from, to);
    await binaryQuery(client, statement(organizationId, seqs), take, READ_TIMEOUT_MS);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A query that was left in the middle leaves its connection unusable.
    client.release(failure !== undefined);
  }
}
