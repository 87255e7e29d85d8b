import { z } from "zod";
import { canonicalize } from "@/lib/chain/canonical";
import { longPool } from "@/lib/db/pool";
import type { StoredObject } from "@/lib/streams/destination";
import { encodeItem } from "@/lib/streams/formats";
import type { Problem, ReconciliationFinding } from "@/lib/streams/schema";
import { Unusable } from "@/lib/streams/server/load-stream";
import { type EventRow, LogEvent, readEvents } from "@/lib/streams/server/log-events";

interface Row {
  /** A problem: the row cannot be of a sealed event. */
  event: LogEvent | Problem;
  erased: Record<string, string> | null;
}
type Line = z.infer<typeof lineSchema>;

const lineSchema = z.looseObject({
  seq: z.int().min(0).nullable(),
  chain_hash: z.string().nullable(),
  recorded_at: z.string(),
  action: z.string(),
  metadata: z.unknown().optional(),
});

const MAX_NOTES = 20_000;

/** Numbers with start ≤ seq < end. */
export interface SeqRange {
  start: number;
  end: number;
}

/** Holds objects in our own format, as a stream put them, against the rows of the log. */
export class StoreComparison {
  objects = 0;
  events = 0;
  checkpoints = 0;
  /** Lines of events that are pruned, or that the log lost before it began another epoch. */
  passedOver = 0;
  /** Signed checkpoints that lie there: all, or some of every time. */
  notes: string[] = [];
  #finding: Omit<ReconciliationFinding, "others"> | null = null;
  #found = 0;
  /** By number, from `range.start` on. */
  readonly #seen: Uint8Array;
  #epochs: { start_seq: number; begun_at: Date }[] | null = null;

  /** @param range numbers that have to be there */
  constructor(
    private readonly organizationId: string,
    readonly range: SeqRange,
  ) {
    this.#seen = new Uint8Array(Math.max(0, range.end - range.start));
  }

  get finding(): ReconciliationFinding | null {
    return this.#finding && { ...this.#finding, others: this.#found - 1 };
  }

  found(
    kind: ReconciliationFinding["kind"],
    seq: number | null,
    key: string | null,
    detail: string,
  ) {
    this.#finding ??= { kind, seq, key, detail };
    this.#found += 1;
  }

  async add({ key, text }: StoredObject): Promise<void> {
    this.objects += 1;
    const lines = text === null ? null : parseLines(text);
    if (!lines) return this.found("unreadable", null, key, "The object is not what was put there.");
    const events: (Line & { seq: number })[] = [];
    for (const line of lines) {
      if (line.seq !== null) events.push({ ...line, seq: line.seq });
      else if (line.action === "trailseal.checkpoint") this.#keepNote(line);
    }
    if (events.length === 0) return;
    const rows = await this.#rows(events.map(({ seq }) => seq));
    for (const event of events) await this.#compare(event, rows.get(event.seq), key);
  }

  /** @param excused numbers that never went there: set aside, skipped by a person */
  finish(excused: SeqRange[]): void {
    const { start, end } = this.range;
    for (const { start: from, end: to } of excused)
      this.#seen.fill(1, Math.max(0, from - start), Math.max(0, to - start));
    const first = this.#seen.indexOf(0);
    if (first < 0) return;
    const missing = this.#seen.reduce((count, seen) => count + (seen ? 0 : 1), 0);
    const words = `${missing} of the ${end - start} events that were delivered are not there, #${start + first} first.`;
    this.found("missing", start + first, null, words);
  }

  /** The note of a checkpoint may stand in several values: `note`, `note_2`… */
  #keepNote({ metadata }: Line): void {
    const values = z.record(z.string(), z.unknown()).safeParse(metadata).data ?? {};
    const pieces = Object.entries(values)
      .filter(([name]) => /^note(_\d+)?$/.test(name))
      .sort(([left], [right]) => left.length - right.length || (left < right ? -1 : 1));
    if (pieces.length === 0) return;
    this.checkpoints += 1;
    const note = pieces.map(([, piece]) => String(piece)).join("");
    if (note !== this.notes.at(-1)) this.notes.push(note);
    if (this.notes.length > MAX_NOTES) this.notes = this.notes.filter((_, at) => at % 2 === 0);
  }

  async #rows(seqs: number[]): Promise<Map<number, Row>> {
    const rows = new Map<number, Row>();
    if (seqs.length > 0)
      await readEvents(this.organizationId, seqs, (row) => {
        rows.set(row.seq, { event: eventOf(row), erased: row.erased });
      });
    return rows;
  }

  async #compare(line: Line & { seq: number }, row: Row | undefined, key: string): Promise<void> {
    const { seq } = line;
    if (!row && (await this.#isPruned(seq))) {
      this.passedOver += 1;
      return;
    }
    const difference = row ? this.#difference(line, row) : null;
    if ((!row || difference !== null) && (await this.#isOfLostEpoch(line))) {
      this.passedOver += 1;
      return;
    }
    this.events += 1;
    if (seq >= this.range.start && seq < this.range.end) this.#seen[seq - this.range.start] = 1;
    if (!row) this.found("lost", seq, key, `The object holds #${seq}, which the log does not.`);
    else if (difference !== null) this.found("changed", seq, key, difference);
  }

  /** In words; of an event that was erased since, what is left is compared. Null: there is none. */
  #difference(line: Line, row: Row): string | null {
    if (!(row.event instanceof LogEvent)) return row.event.message;
    const ours = masked(encodeItem("trailseal", row.event) as Line, row.erased);
    const theirs = masked(line, row.erased);
    const names = Object.keys({ ...ours, ...theirs }).filter(
      (name) => canonicalOf(ours[name]) !== canonicalOf(theirs[name]),
    );
    if (names.length === 0) return null;
    return `The object has another ${names.join(", ")} of #${line.seq} than the log.`;
  }

  async #isPruned(seq: number): Promise<boolean> {
    const { rows } = await longPool().query<{ first_seq: number }>(
      "SELECT first_seq FROM log_heads WHERE organization_id = $1",
      [this.organizationId],
    );
    return seq < (rows[0]?.first_seq ?? 0);
  }

  /** After a restore the log goes on in another epoch; what it lost then still lies there, under the same numbers. */
  async #isOfLostEpoch({ seq, recorded_at }: Line & { seq: number }): Promise<boolean> {
    this.#epochs ??= (
      await longPool().query<{ start_seq: number; begun_at: Date }>(
        `SELECT p.start_seq, e.recorded_at AS begun_at FROM log_epochs p
         JOIN events e ON e.organization_id = p.organization_id AND e.seq = p.start_seq
         WHERE p.organization_id = $1 AND p.epoch > 1`,
        [this.organizationId],
      )
    ).rows;
    const recordedMs = Date.parse(recorded_at);
    return this.#epochs.some(
      ({ start_seq, begun_at }) => seq >= start_seq && recordedMs < begun_at.getTime(),
    );
  }
}

function eventOf(row: EventRow): LogEvent | Problem {
  try {
    return row.toEvent();
  } catch (error) {
    if (error instanceof Unusable) return error.problem;
    throw error;
  }
}

function parseLines(text: string): Line[] | null {
  try {
    const lines = text.trimEnd().split("\n");
    return z.array(lineSchema).parse(lines.map((line): unknown => JSON.parse(line)));
  } catch {
    return null;
  }
}

/** Null for what cannot have been an event's. */
function canonicalOf(value: unknown): string | null {
  try {
    return value === undefined ? "" : canonicalize(value);
  } catch {
    return null;
  }
}

function masked(event: Line, erased: Record<string, string> | null): Record<string, unknown> {
  if (!erased) return event;
  const { targets, ...rest } = event;
  const kept = Object.entries(rest).filter(([name]) => !Object.hasOwn(erased, name));
  const left = Array.isArray(targets)
    ? targets.map((target, at) => (Object.hasOwn(erased, `targets/${at}`) ? null : target))
    : targets;
  return { ...Object.fromEntries(kept), targets: left };
}
