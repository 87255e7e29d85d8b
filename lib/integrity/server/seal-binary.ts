import {
  digestText,
  eventDigest,
  SALT_BYTES,
  type SealedContent,
  skeletonOf,
  unitPrefix,
} from "@/lib/chain/event-hash";
import { sha256Hex } from "@/lib/chain/sha256";
import type { BinaryRows } from "@/lib/db/binary-rows";
import { CanonicalWriter, REFUSED } from "./canonical-writer";
import { FIELDS } from "./sealed-rows";
import { targetKeys } from "./target-check";
import type { TargetRecords } from "./target-records";

/** What an event's digest seals beside its units. */
export type ContentHead = Omit<SealedContent, "actor" | "targets" | "context" | "metadata">;

export interface Sealed {
  /** Lower-case hex. */
  digest: string;
  /** Of the context. */
  location: unknown;
}

const JSONB_VERSION = 1;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** From the eleventh on, commitments are not in the order of their targets. */
const MOST_TARGETS = 10;
const TARGET_FIELDS = [FIELDS.seq, FIELDS.occurredAt, FIELDS.recordedAt];

/** As bytes, by unit. */
const prefixes = new Map<string, Buffer>();

function prefixOf(unit: string): Buffer {
  const known = prefixes.get(unit);
  if (known) return known;
  const prefix = Buffer.from(unitPrefix(unit));
  prefixes.set(unit, prefix);
  return prefix;
}

/** Seals rows of `copyRows` that are not erased, and tells which records event_targets must have for them. */
export class RowSealer {
  readonly #writer = new CanonicalWriter();
  /** Commitments so far, as JCS has them between the braces. */
  #units = "";
  /** Where the next salt begins. */
  #salt = 0;

  constructor(
    private readonly rows: BinaryRows,
    private readonly targets: TargetRecords,
  ) {}

  /** @throws as `eventDigest` does, SyntaxError or TypeError for columns that no sealed event has */
  seal(head: ContentHead): Sealed {
    this.targets.begin();
    try {
      return this.#fromBytes(head);
    } catch (error) {
      if (error !== REFUSED) throw error;
      this.targets.undo();
      return this.#fromContent(head);
    }
  }

  #fromBytes(head: ContentHead): Sealed {
    const { rows } = this;
    this.#units = "";
    this.#salt = rows.starts[FIELDS.salts] as number;
    this.#addUnit("actor", FIELDS.actor);
    this.#addUnit("context", FIELDS.context);
    const place = rows.isNull(FIELDS.context) ? null : this.#writer.text("location");
    const location = place && this.#writer.bytes.toString("utf8", ...place);
    this.#addUnit("metadata", FIELDS.metadata);
    this.#addTargets();
    if (this.#salt !== rows.ends[FIELDS.salts]) throw REFUSED;
    return { digest: sha256Hex(digestText(skeletonOf(head, `{${this.#units}}`))), location };
  }

  #addUnit(unit: string, field: number): void {
    const [start, end] = [this.rows.starts[field] as number, this.rows.ends[field] as number];
    if (end < start) this.#salt += SALT_BYTES;
    else if (this.rows.data[start] !== JSONB_VERSION || this.#add(unit, start + 1, end) !== end)
      throw REFUSED;
  }

  /** @returns where the unit's text ends */
  #add(unit: string, from: number, to: number): number {
    const writer = this.#writer;
    writer.begin(prefixOf(unit));
    writer.addBytes(this.rows.data, this.#salt, this.#salt + SALT_BYTES);
    this.#salt += SALT_BYTES;
    const end = writer.addObject(this.rows.data, from, to);
    this.#units += `${this.#units === "" ? "" : ","}"${unit}":"${writer.hash()}"`;
    return end;
  }

  #addTargets(): void {
    const { rows, targets } = this;
    const [start, end] = [rows.starts[FIELDS.targets] as number, rows.ends[FIELDS.targets]];
    if (rows.data[start] !== JSONB_VERSION || rows.data[start + 1] !== OPEN_ARRAY) throw REFUSED;
    let at = start + 2;
    for (let position = 0; rows.data[at] !== CLOSE_ARRAY; position += 1) {
      if (position === MOST_TARGETS) throw REFUSED;
      at = this.#add(`targets/${position}`, at, end as number);
      const [type, id] = [this.#writer.text("type"), this.#writer.text("id")];
      if (type && id) targets.add(this.#writer.bytes, type, id, rows, TARGET_FIELDS);
      // A comma and a space, before the next.
      if (rows.data[at] === COMMA) at += 2;
    }
    if (at + 1 !== end) throw REFUSED;
  }

  /** Seals a row by way of its parsed documents. */
  #fromContent(head: ContentHead): Sealed {
    const { rows, targets } = this;
    const parsed = (field: number) =>
      rows.isNull(field) ? null : JSON.parse(rows.text(field).slice(1));
    const content: SealedContent = {
      ...head,
      actor: parsed(FIELDS.actor),
      targets: parsed(FIELDS.targets),
      context: parsed(FIELDS.context),
      metadata: parsed(FIELDS.metadata),
    };
    if (!Array.isArray(content.targets)) throw new TypeError("an event has a list of targets");
    const digest = eventDigest(content, rows.bytes(FIELDS.salts)).toString("hex");
    for (const key of targetKeys(content)) {
      const texts = Buffer.from(key);
      const middle = texts.indexOf(0);
      targets.add(texts, [0, middle], [middle + 1, texts.length], rows, TARGET_FIELDS);
    }
    return { digest, location: (content.context as { location?: unknown } | null)?.location };
  }
}
