import { type DamageKind, damageKinds, type Finding } from "../schema";

const MAX_PER_KIND = 20;

// What concerns the log as a whole comes first, then the chain itself, then what is derived from it: a lost
// row also makes a rollup wrong, and the row is what to show.
const RANK: Partial<Record<DamageKind, number>> = {
  missing_log: 0,
  wrong_origin: 0,
  checkpoint_row_mismatch: 2,
  missing_checkpoint: 3,
  projection_mismatch: 4,
  merkle_cache_tampered: 5,
  nothing_checked: 6,
};
const CHAIN_RANK = 1;

const rankOf = ({ kind }: Finding) => RANK[kind] ?? CHAIN_RANK;

function compare(left: Finding, right: Finding): number {
  return (
    rankOf(left) - rankOf(right) ||
    (left.seq ?? Number.POSITIVE_INFINITY) - (right.seq ?? Number.POSITIVE_INFINITY) ||
    damageKinds.indexOf(left.kind) - damageKinds.indexOf(right.kind)
  );
}

/** Collects what a verification finds: a bounded number of each kind, and always the worst one. */
export class FindingList {
  readonly #kept: Finding[] = [];
  readonly #count = new Map<DamageKind, number>();
  readonly #brokenAt = new Set<number>();
  #worst: Finding | null = null;
  #truncated = false;

  add(finding: Finding): void {
    if (!this.#worst || compare(finding, this.#worst) < 0) this.#worst = finding;
    const count = (this.#count.get(finding.kind) ?? 0) + 1;
    this.#count.set(finding.kind, count);
    if (count > MAX_PER_KIND) {
      this.#truncated = true;
      return;
    }
    this.#kept.push(finding);
    if (finding.seq !== null && rankOf(finding) === CHAIN_RANK && finding.kind !== "bad_signature")
      this.#brokenAt.add(finding.seq);
  }

  /** The finding to show when only one is shown. */
  get worst(): Finding | null {
    return this.#worst;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  /** Worst first; the worst is among them even when its kind was cut. */
  list(): Finding[] {
    const kept = this.#kept.toSorted(compare);
    if (this.#worst && kept[0] !== this.#worst) kept.unshift(this.#worst);
    return kept;
  }

  /** Whether a break of the chain at `seq` is already known. */
  breaksAt(seq: number): boolean {
    return this.#brokenAt.has(seq);
  }

  /** Whether one is known with from ≤ seq ≤ to. */
  breaksWithin(from: number, to: number): boolean {
    return [...this.#brokenAt].some((seq) => seq >= from && seq <= to);
  }

  /** Whether history is known to be rewritten from somewhere with from ≤ seq < to. */
  isRewrittenWithin(from: number, to: number): boolean {
    return this.#kept.some(
      ({ kind, seq }) => kind === "history_rewritten" && seq !== null && seq >= from && seq < to,
    );
  }

  /** Whether another finding of this kind would still be kept. */
  wants(kind: DamageKind): boolean {
    return (this.#count.get(kind) ?? 0) < MAX_PER_KIND;
  }
}
