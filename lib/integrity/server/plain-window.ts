import { leafHashHex } from "@/lib/chain/event-hash";
import { HASH_BYTES } from "@/lib/chain/sha256";
import { BinaryRows } from "@/lib/db/binary-rows";
import type { OriginAt } from "../classify";
import { isAddressOf } from "./projections";
import { RowSealer } from "./seal-binary";
import { copyRows, FIELDS, hasKnownTypes } from "./sealed-rows";
import { bytes, type Snapshot } from "./snapshot";
import { TargetRecords } from "./target-records";

/** Events from ≤ seq < to, and the chain hash before them where it is known without asking. */
export interface WindowRequest {
  from: number;
  to: number;
  previous: Uint8Array | null;
}

/**
 * A stretch of the log of which there is nothing to say but that it holds after `previous`: every number once,
 * every hash, time and projection right, nothing erased, no event of the log's own. Whatever else there is, is
 * looked at by the walk, row by row.
 */
export interface PlainWindow {
  from: number;
  to: number;
  /** The chain hash that the first row was checked after. */
  previous: Uint8Array;
  /** Chain hashes, 32 bytes each; the only ones in their buffer. */
  hashes: Uint8Array;
  firstRecordedAt: string;
  lastRecordedAt: string;
  /** Of the records that event_targets must have, see digestOf. */
  targets: string;
}

/** Checks windows of one log in one snapshot. */
export class PlainWindows {
  private constructor(
    private readonly snapshot: Snapshot,
    private readonly originAt: OriginAt,
    private readonly isReadable: boolean,
  ) {}

  static async open(snapshot: Snapshot, originAt: OriginAt): Promise<PlainWindows> {
    return new PlainWindows(snapshot, originAt, await hasKnownTypes(snapshot));
  }

  /** @returns null for a window that is not plain */
  async check({ from, to, previous: known }: WindowRequest): Promise<PlainWindow | null> {
    const { snapshot } = this;
    const previous = known ?? (await this.#hashAt(from - 1));
    if (!this.isReadable || previous?.length !== HASH_BYTES) return null;
    const check = new WindowCheck(snapshot.organizationId, this.originAt, from, to, previous);
    await copyRows(snapshot, from, to, (chunk) => check.take(chunk));
    return check.end();
  }

  async #hashAt(seq: number): Promise<Buffer | null> {
    const [row] = await this.snapshot.query(
      "SELECT chain_hash FROM events WHERE organization_id = $1 AND seq = $2",
      seq,
    );
    return row?.[0] ? bytes(row[0]) : null;
  }
}

class WindowCheck {
  readonly #rows = new BinaryRows(Object.keys(FIELDS).length);
  readonly #hashes: Buffer;
  readonly #targets = new TargetRecords();
  readonly #sealer = new RowSealer(this.#rows, this.#targets);
  #next: number;
  #previous: string;
  #firstRecordedAt = "";
  #lastRecordedAt = "";
  #isPlain = true;

  constructor(
    private readonly organizationId: string,
    private readonly originAt: OriginAt,
    private readonly from: number,
    private readonly to: number,
    private readonly before: Uint8Array,
  ) {
    this.#hashes = Buffer.allocUnsafeSlow((to - from) * HASH_BYTES);
    this.#next = from;
    this.#previous = Buffer.from(before).toString("hex");
  }

  take(chunk: Buffer): void {
    if (this.#isPlain) this.#rows.take(chunk, this.#onRow);
  }

  end(): PlainWindow | null {
    const { from, to, before: previous } = this;
    if (!this.#isPlain || this.#next !== to) return null;
    return {
      ...{ from, to, previous, hashes: this.#hashes },
      firstRecordedAt: this.#firstRecordedAt,
      lastRecordedAt: this.#lastRecordedAt,
      targets: this.#targets.digest(),
    };
  }

  readonly #onRow = (): void => {
    try {
      this.#isPlain &&= this.#check();
    } catch {
      // No sealed event has such columns; the walk says which.
      this.#isPlain = false;
    }
  };

  #check(): boolean {
    const rows = this.#rows;
    const seq = rows.int8(FIELDS.seq);
    if (seq !== this.#next) return false;
    const recordedAt = rows.time(FIELDS.recordedAt);
    const occurredAt = rows.time(FIELDS.occurredAt);
    if (!recordedAt || !occurredAt || recordedAt < this.#lastRecordedAt) return false;
    if (!rows.isNull(FIELDS.erased) || !rows.isNull(FIELDS.wrongProjection)) return false;
    const action = rows.text(FIELDS.action);
    if (action.startsWith("trailseal.")) return false;
    const { digest, location } = this.#sealer.seal({
      id: rows.text(FIELDS.id),
      organization_id: this.organizationId,
      action,
      version: rows.int4(FIELDS.version),
      occurred_at: occurredAt,
    });
    const stored = rows.hex(FIELDS.chainHash);
    if (leafHashHex(this.originAt(seq), seq, recordedAt, digest, this.#previous) !== stored)
      return false;
    if (!isAddressOf(location, rows.isNull(FIELDS.ip) ? null : rows.bytes(FIELDS.ip))) return false;
    this.#hashes.write(stored, (seq - this.from) * HASH_BYTES, "hex");
    this.#previous = stored;
    this.#firstRecordedAt ||= recordedAt;
    this.#lastRecordedAt = recordedAt;
    this.#next += 1;
    return true;
  }
}
