import { writePool } from "@/lib/db/pool";
import type { EventFilter } from "@/lib/events/filter/ast";
import { matches } from "@/lib/events/filter/match";
import { MAX_BATCH_EVENTS, type StreamEvent } from "../destination";
import type { Lease } from "./lease";
import { EventWriter, LogEvent, readEvents } from "./log-events";

/** What a lane sends, in order: events of the log that the stream's filter takes, or those that were set aside. */

/** Rows that are looked through before a lane says how far it is, when its filter takes few. */
const WINDOW = 2_000;
/** Rows that are read at once while others are sent: a larger read takes the processor from the request under way. */
const READ_ON = MAX_BATCH_EVENTS;
/** Of large events a read stops here: more than the largest request of a destination takes (Datadog: 5 MB). */
const MOST_READ_BYTES = 6_000_000;
/** Rows that are read before it is known how large they are. */
const FIRST_ROWS = 250;
/** Events to send again that are read at once: however large they are, they fit into memory. */
const MOST_LETTERS = 100;

/** Events that the log has counted are not in the database. */
export class EventsMissing extends Error {}

export interface Piece {
  events: StreamEvent[];
  fromSeq: number;
  /** Exclusive; further than the last event where the filter took none of what follows. */
  toSeq: number;
}

interface Read {
  events: LogEvent[];
  /** Where the next read begins. */
  to: number;
}

const bytesOf = ({ start, end }: LogEvent): number => end - start;

/** Reads ahead of a lane's cursor, each row once. */
export class Source {
  /** Read, and not in a piece that was passed. */
  private pending: LogEvent[] = [];
  private pendingBytes = 0;
  /** As the last read had them. */
  private bytesPerRow = MOST_READ_BYTES / FIRST_ROWS;
  private start: number;
  private position: number;
  /** The read that is under way. */
  private reading: Promise<void> | null = null;
  private readonly writer: EventWriter;

  constructor(
    private readonly lease: Lease,
    private readonly filter: EventFilter | null,
  ) {
    this.start = lease.cursorSeq;
    this.position = lease.cursorSeq;
    this.writer = new EventWriter(lease.organizationId);
  }

  /**
   * What follows: at most `limit` events, below `end`. Of a range that was planned, all of it.
   * @returns null at the end
   * @throws EventsMissing
   */
  async next(limit: number, end: number, isPlanned = false): Promise<Piece | null> {
    const from = this.position;
    const isShort = () =>
      this.position < end &&
      (isPlanned || (this.pending.length < limit && this.pendingBytes < MOST_READ_BYTES));
    // Letters may lie far from each other.
    const window = isPlanned || this.lease.kind === "redrive" ? Number.POSITIVE_INFINITY : WINDOW;
    while (isShort() && this.position - from < window) {
      const rows = this.filter || isPlanned ? WINDOW : limit - this.pending.length;
      const before = this.position;
      await this.readOn(rows, end);
      if (this.position === before) {
        if (before === this.start) throw new EventsMissing();
        break;
      }
    }
    const piece = this.piece(isPlanned ? this.pending.length : limit);
    const isLow =
      this.pending.length < piece.events.length + READ_ON / 2 &&
      this.pendingBytes < MOST_READ_BYTES * 1.5;
    if (!isPlanned && this.readsOn && isLow && this.position < end)
      // What fails is met again by who needs it.
      this.readOn(READ_ON, end).catch(() => undefined);
    return piece.toSeq > piece.fromSeq ? piece : null;
  }

  /** Redrives keep what is gone when they come to it, and lanes with a rate have time. */
  private get readsOn(): boolean {
    return this.lease.kind !== "redrive" && this.lease.ratePerSecond === null;
  }

  /** One read at a time: this one, or the one that is under way. */
  private readOn(rows: number, end: number): Promise<void> {
    this.reading ??= this.read(Math.min(rows, end - this.position), end)
      .then(({ events, to }) => {
        for (const event of events) {
          this.pending.push(event);
          this.pendingBytes += bytesOf(event);
        }
        this.position = to;
      })
      .finally(() => {
        this.reading = null;
      });
    return this.reading;
  }

  /** The first `count` of the events that are read. */
  piece(count: number): Piece {
    const toSeq = this.pending[count]?.seq ?? this.position;
    return { events: this.pending.slice(0, count), fromSeq: this.start, toSeq };
  }

  /** Lets the next piece begin after this one, and forgets those before it. */
  pass({ events, toSeq }: Piece): void {
    const [first] = events;
    if (first instanceof LogEvent) this.writer.release(first);
    for (const event of this.pending.splice(0, events.length)) this.pendingBytes -= bytesOf(event);
    this.start = toSeq;
  }

  private read(rows: number, end: number): Promise<Read> {
    if (this.lease.kind !== "redrive") return this.readLog(rows);
    return this.readLetters(Math.min(rows, MOST_LETTERS), end);
  }

  private async readLog(count: number): Promise<Read> {
    const { filter, position } = this;
    const events: LogEvent[] = [];
    let bytes = 0;
    let to = position;
    const end = position + Math.min(count, Math.ceil(MOST_READ_BYTES / this.bytesPerRow));
    await readEvents(
      this.lease.organizationId,
      { from: position - 1, end },
      (row) => {
        // Nothing counts that comes after a gap; the row before the first is there for its hash.
        if (row.seq !== to || bytes >= MOST_READ_BYTES) return;
        to += 1;
        if (filter && !matches(filter, row.toFilterable())) return;
        const event = row.toEvent();
        events.push(event);
        bytes += bytesOf(event);
      },
      this.writer,
    );
    if (to > position) this.bytesPerRow = Math.max(1, bytes / (to - position));
    return { events, to };
  }

  private async readLetters(limit: number, end: number): Promise<Read> {
    const { organizationId, streamId, lane } = this.lease;
    const { rows } = await writePool().query<{ seq: number }>(
      `SELECT seq FROM dead_letters
       WHERE organization_id = $1 AND stream_id = $2 AND lane = $3 AND seq >= $4 AND seq < $5
       ORDER BY seq LIMIT $6`,
      [organizationId, streamId, lane, this.position, end, limit],
    );
    const last = rows.at(-1)?.seq;
    if (last === undefined) return { events: [], to: end };
    const gone = new Set(rows.map(({ seq }) => seq));
    const events: LogEvent[] = [];
    const read = [...gone].flatMap((seq) => [seq - 1, seq]);
    await readEvents(organizationId, read, (row) => {
      if (gone.delete(row.seq)) events.push(row.toEvent());
    });
    if (gone.size > 0) await this.keepLost([...gone]);
    return { events, to: rows.length < limit ? end : last + 1 };
  }

  private async keepLost(seqs: number[]): Promise<void> {
    const { organizationId, streamId } = this.lease;
    await writePool().query(
      `UPDATE dead_letters SET lane = NULL, reason = 'The event was deleted before it could be sent again.'
       WHERE organization_id = $1 AND stream_id = $2 AND seq = ANY($3::bigint[])`,
      [organizationId, streamId, seqs],
    );
  }
}
