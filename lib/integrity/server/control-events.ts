import { Frontier } from "@/lib/chain/merkle";
import type { FindingList } from "./findings";
import type { SealedRow } from "./sealed-rows";
import { bytes, type Snapshot } from "./snapshot";

const ERASED = "trailseal.event_erased";
const PRUNED = "trailseal.pruned";

/** The record of a removed prefix: the log goes on at `size`, after `chainHash`. */
export interface Prune {
  size: number;
  chainHash: Buffer;
  frontier: Buffer[];
  eventSeq: number;
}

/** The newest prune record; null when the log is whole. */
export async function loadPrune(snapshot: Snapshot): Promise<Prune | null> {
  const [row] = await snapshot.query(
    `SELECT prune_size, chain_hash, to_json(frontier), event_seq FROM prunes
     WHERE organization_id = $1 ORDER BY prune_size DESC LIMIT 1`,
  );
  if (!row) return null;
  const [size, chainHash, frontier, eventSeq] = row as [string, string, string, string];
  return {
    size: Number(size),
    chainHash: bytes(chainHash),
    frontier: (JSON.parse(frontier) as string[]).map(bytes),
    eventSeq: Number(eventSeq),
  };
}

/** Null for a record that cannot be one: it is reported when its event is looked at. */
export function frontierOf({ size, frontier }: Prune): Frontier | null {
  try {
    return Frontier.restore(size, frontier);
  } catch {
    return null;
  }
}

/** Remembers who was erased and who was allowed to: an erasure or a pruning needs its event in the log. */
export class ControlEvents {
  readonly #erased: { seq: number; id: string; units: string[] }[] = [];
  readonly #allowed = new Map<string, { seq: number; units: Set<string> }[]>();
  #pruneMetadata: Record<string, unknown> | null = null;

  constructor(
    private readonly findings: FindingList,
    private readonly prune: Prune | null,
  ) {}

  /** `verified`: the row's hash holds, so that its word counts. */
  add(row: SealedRow, verified: boolean): void {
    if (row.erased) {
      this.#erased.push({ seq: row.seq, id: row.id, units: Object.keys(row.erased) });
    }
    if (!verified || !row.action.startsWith("trailseal.")) return;
    const metadata = (row.content.metadata ?? {}) as Record<string, unknown>;
    if (row.action === ERASED) {
      const units = new Set(String(metadata.units ?? "").split(","));
      for (const target of row.content.targets as ({ type?: string; id?: string } | null)[]) {
        if (target?.type !== "audit_event" || !target.id) continue;
        const list = this.#allowed.get(target.id) ?? [];
        list.push({ seq: row.seq, units });
        this.#allowed.set(target.id, list);
      }
    }
    if (row.action === PRUNED && row.seq === this.prune?.eventSeq) this.#pruneMetadata = metadata;
  }

  /** After the last row. `firstSeq` is where the log head says that the log begins. */
  finish(firstSeq: number): void {
    for (const { seq, id, units } of this.#erased) {
      const allowed = this.#allowed.get(id)?.filter((event) => event.seq > seq) ?? [];
      const without = units.filter((unit) => !allowed.some((event) => event.units.has(unit)));
      if (without.length === 0) continue;
      this.findings.add({
        kind: "unauthorised_erasure",
        seq,
        detail: `${without.join(", ")} erased without an erasure event`,
      });
    }
    this.#finishPrune(firstSeq);
  }

  #finishPrune(firstSeq: number): void {
    const size = this.prune?.size ?? 0;
    const named = this.#pruneMetadata;
    const authorised =
      !this.prune ||
      (named?.prune_size === String(size) &&
        named.chain_hash === this.prune.chainHash.toString("hex"));
    if (!authorised || firstSeq !== size) {
      this.findings.add({
        kind: "unauthorised_prune",
        seq: Math.max(size, firstSeq),
        detail: "prefix removed without a matching prune event",
      });
    }
    if (this.prune && named && rootOf(this.prune) !== named.root) {
      this.findings.add({
        kind: "bad_prune_record",
        seq: size,
        detail: "frontier does not hash to the root in the prune event",
      });
    }
  }
}

function rootOf({ size, frontier }: Prune): string | null {
  try {
    return Frontier.restore(size, frontier).root().toString("hex");
  } catch {
    return null;
  }
}
