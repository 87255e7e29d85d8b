import { openCheckpoint } from "./checkpoint";
import {
  type Commitments,
  eventDigest,
  genesisHash,
  leafHash,
  type SealedContent,
} from "./event-hash";
import { Frontier } from "./merkle";
import { type NoteKey, noteKey } from "./note";

/**
 * A log as a file that anyone can check without us: one JSON object per line.
 *
 *     {"format":"trailseal-bundle/1","origin":…,"organization_id":…,"first_seq":0,"next_seq":2}
 *     {"prune":{"size":…,"chain_hash":hex,"frontier":[hex…],"event_seq":…}}      where first_seq is not 0
 *     {"seq":0,"recorded_at":…,"event":{…},"salts":hex,"erased":{unit:hex},"chain_hash":hex}
 *     {"checkpoint":"…the signed note…"}                                    after the last event it covers
 *     {"end":{"events":2,"checkpoints":1}}
 *
 * A log that went on under another origin (epochs) has them in its header, oldest first: `"epochs":[{"epoch":1,
 * "start_seq":0,"origin":…},{"epoch":2,"start_seq":…,"origin":…,"last_good_size":…,"signed_size":…}]`.
 * Events from `start_seq` on are sealed under that origin, the first of them says the same.
 *
 * `event` has what the digest seals: an absent or erased actor, context or metadata is left out, an erased
 * target is null, `erased` is there where a unit is.
 */
export const BUNDLE_FORMAT = "trailseal-bundle/1";

interface BundleHeader {
  format: typeof BUNDLE_FORMAT;
  origin: string;
  organization_id: string;
  first_seq: number;
  next_seq: number;
  epochs?: BundleEpoch[];
}

export interface BundleEpoch {
  epoch: number;
  start_seq: number;
  origin: string;
  /** The newest checkpoint of the epoch before that the events meet. */
  last_good_size?: number;
  /** What had been signed when this one began. */
  signed_size?: number;
}

export interface BundleEvent {
  seq: number;
  recorded_at: string;
  event: Omit<SealedContent, "actor" | "context" | "metadata"> & {
    actor?: object;
    context?: object;
    metadata?: object;
  };
  salts: string;
  erased?: Commitments;
  chain_hash: string;
}

interface BundlePrune {
  size: number;
  chain_hash: string;
  frontier: string[];
  event_seq: number;
}

export type BundleLine =
  | BundleHeader
  | { prune: BundlePrune }
  | BundleEvent
  | { checkpoint: string }
  | { end: { events: number; checkpoints: number } };

/** What the sender of an event was given for it. */
export interface Receipt {
  origin: string;
  seq: number;
  chain_hash: string;
}

export interface BundleEvidence {
  /** Keys from the verifier's own configuration, never from the bundle. */
  trusted: readonly NoteKey[];
  /** Signed notes that were kept elsewhere. */
  checkpoints?: readonly string[];
  receipts?: readonly Receipt[];
}

interface BundleFinding {
  kind: string;
  seq: number | null;
  detail: string;
}

export interface BundleVerdict {
  /** True only when events were checked, a trusted signature covers some of them, and nothing was found. */
  ok: boolean;
  origin: string | null;
  checked: number;
  first_seq: number | null;
  last_seq: number | null;
  /** Every event below is covered by a trusted signature; later ones are chained, not yet signed. */
  signed_to: number;
  checkpoints: number;
  receipts: number;
  findings: BundleFinding[];
}

const ERASED = "trailseal.event_erased";
const PRUNED = "trailseal.pruned";
const EPOCH_STARTED = "trailseal.epoch_started";

/** Raised inside: nothing after it can be judged. */
class Stop extends Error {
  constructor(readonly finding: BundleFinding) {
    super(finding.detail);
  }
}

/** Recomputes a bundle from its first byte to its signatures. Ends at the first break of the chain. */
export async function verifyBundle(
  lines: AsyncIterable<string> | Iterable<string>,
  evidence: BundleEvidence,
): Promise<BundleVerdict> {
  const check = new BundleCheck(evidence);
  try {
    for await (const line of lines) if (line !== "") check.line(line);
    check.finish();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    check.verdict.findings.push(error.finding);
  }
  const { verdict } = check;
  return { ...verdict, ok: verdict.findings.length === 0 && verdict.signed_to > 0 };
}

class BundleCheck {
  readonly verdict: BundleVerdict = {
    ok: false,
    origin: null,
    checked: 0,
    first_seq: null,
    last_seq: null,
    signed_to: 0,
    checkpoints: 0,
    receipts: 0,
    findings: [],
  };
  #header: BundleHeader | null = null;
  #epochs: BundleEpoch[] = [];
  #trusted: NoteKey[] = [];
  #prune: BundlePrune | null = null;
  #tree = new Frontier();
  #previous: Buffer = Buffer.alloc(0);
  /** The row before, where it does not hold: the next one tells what of it was changed. */
  #doubtful: { seq: number; recomputed: Buffer } | null = null;
  #lastRecordedAt = "";
  #isPruneNamed = false;
  /** How many epochs began with the event that says so. */
  #begun = 0;
  #ended = false;
  #erased: { seq: number; id: string; units: string[] }[] = [];
  /** Units that erasure events name, by the event's id. */
  #allowed = new Map<string, { seq: number; units: string[] }[]>();
  /** Roots that other sources name, by size. */
  #elsewhere = new Map<number, Buffer[]>();
  #receipts = new Map<number, Receipt[]>();

  constructor(private readonly evidence: BundleEvidence) {}

  line(text: string): void {
    const line = parsed(text, this.#place());
    if (this.#ended) this.#fail("malformed_bundle", "something follows the end");
    if ("format" in line) this.#open(line);
    else if (!this.#header) this.#fail("malformed_bundle", "the first line is no header");
    else if ("prune" in line) this.#startAfter(line.prune);
    else if ("checkpoint" in line) this.#meet(line.checkpoint);
    else if ("end" in line) this.#end(line.end);
    else this.#event(line);
  }

  #place = () => this.#tree.size;

  #fail(kind: string, detail: string, seq: number | null = this.#place()): never {
    throw new Stop({ kind, seq, detail });
  }

  #find(kind: string, detail: string, seq: number | null): void {
    this.verdict.findings.push({ kind, seq, detail });
  }

  #open(header: BundleHeader): void {
    if (this.#header) this.#fail("malformed_bundle", "a second header");
    if (header.format !== BUNDLE_FORMAT)
      this.#fail("malformed_bundle", `an unknown format: ${header.format}`, null);
    const { origin, organization_id } = header;
    const isOurs = this.evidence.trusted.some(({ name }) => name === origin);
    if (!isOurs || !origin.split("/").includes(organization_id))
      this.#fail("wrong_origin", `no key that you trust is of ${origin}`, null);
    this.#header = header;
    this.verdict.origin = origin;
    this.verdict.first_seq = header.first_seq;
    this.#openEpochs(header);
    this.#previous = genesisHash(this.#originAt(0));
    for (const note of this.evidence.checkpoints ?? []) {
      // A collection of several logs' checkpoints is fine; a bad one of this log is not.
      const at = this.#epochs.findIndex((epoch) => note.startsWith(`${epoch.origin}\n`));
      if (at < 0) continue;
      const { size, root } = this.#signed(note, "a checkpoint that was kept elsewhere");
      const next = this.#epochs[at + 1];
      // Of events that were lost before the next epoch began, which says so.
      if (next && size > (next.last_good_size ?? 0) && size <= (next.signed_size ?? 0)) continue;
      this.#elsewhere.set(size, [...(this.#elsewhere.get(size) ?? []), root]);
    }
    for (const receipt of this.evidence.receipts ?? []) {
      if (!this.#epochs.some((epoch) => epoch.origin === receipt.origin)) continue;
      if (this.#originAt(receipt.seq) !== receipt.origin) {
        const detail = `acknowledged under ${receipt.origin}, lost before the next epoch began`;
        this.#find("receipt_missing", detail, receipt.seq);
        continue;
      }
      this.#receipts.set(receipt.seq, [...(this.#receipts.get(receipt.seq) ?? []), receipt]);
    }
  }

  /** The epochs of the header; each is announced by its first event, which #control looks at. */
  #openEpochs({ origin, epochs, first_seq }: BundleHeader): void {
    this.#epochs = epochs ?? [{ epoch: 1, start_seq: 0, origin }];
    const [first] = this.#epochs;
    const isInOrder = this.#epochs.every(
      (own, at) =>
        own.epoch === at + 1 &&
        own.origin === (at === 0 ? first?.origin : `${first?.origin}/e${at + 1}`) &&
        own.start_seq >= (this.#epochs[at - 1]?.start_seq ?? 0),
    );
    if (!first || !isInOrder || first.start_seq !== 0 || this.#epochs.at(-1)?.origin !== origin)
      this.#fail("wrong_origin", "the log's epochs do not follow one another", null);
    this.#begun = this.#epochs.filter(
      ({ epoch, start_seq }) => epoch === 1 || start_seq < first_seq,
    ).length;
    // Whoever trusts a key for the log as it is now trusts it for what came before.
    const keys = this.evidence.trusted.map(({ publicKey }) => publicKey);
    this.#trusted = this.#epochs.flatMap((own) => keys.map((key) => noteKey(own.origin, key)));
  }

  #originAt(seq: number): string {
    return this.#epochs.findLast(({ start_seq }) => start_seq <= seq)?.origin as string;
  }

  #signed(note: string, what: string) {
    try {
      return openCheckpoint(note, note.split("\n", 1)[0] as string, this.#trusted);
    } catch (error) {
      return this.#fail("bad_signature", `${what}: ${(error as Error).message}`);
    }
  }

  #startAfter(prune: BundlePrune): void {
    if (this.#tree.size > 0 || prune.size !== this.#header?.first_seq)
      this.#fail("bad_prune_record", "the record does not end where the log begins");
    try {
      this.#tree = Frontier.restore(
        prune.size,
        prune.frontier.map((hash) => Buffer.from(hash, "hex")),
      );
      this.#previous = Buffer.from(prune.chain_hash, "hex");
    } catch (error) {
      this.#fail("bad_prune_record", (error as Error).message);
    }
    this.#prune = prune;
  }

  #event(row: BundleEvent): void {
    const { organization_id } = this.#header as BundleHeader;
    const seq = this.#place();
    const origin = this.#originAt(seq);
    if (row.seq > seq)
      this.#fail("deleted_row", `${row.seq - seq} event(s) missing before #${row.seq}`);
    if (row.seq < seq)
      this.#fail("inserted_row", `#${row.seq} comes where #${seq} has its place`, row.seq);
    if (row.event.organization_id !== organization_id)
      this.#fail("inserted_row", "an event of another organization");
    const leaf = leafOf(origin, row, this.#previous);
    if (this.#doubtful) this.#judge(row);
    if (!leaf) this.#fail("edited_content", "the content cannot have been sealed");
    if (!leaf.equals(Buffer.from(row.chain_hash, "hex"))) {
      this.#doubtful = { seq, recomputed: leaf };
    } else if (row.recorded_at < this.#lastRecordedAt) {
      this.#find("reordered", "recorded before its predecessor", seq);
    }
    this.#lastRecordedAt = row.recorded_at;
    this.#previous = Buffer.from(row.chain_hash, "hex");
    this.#tree.append(leaf);
    this.verdict.checked += 1;
    this.verdict.last_seq = seq;
    this.#control(row);
    this.#compare(row);
  }

  /** A row whose hash is not its content's: the next row was sealed after one of the two. */
  #judge(next: BundleEvent | null): never {
    const { seq, recomputed } = this.#doubtful as { seq: number; recomputed: Buffer };
    const origin = this.#originAt(seq + 1);
    if (next && leafOf(origin, next, recomputed)?.toString("hex") === next.chain_hash)
      this.#fail("edited_hash", "its chain hash was changed; the content fits the next event", seq);
    return this.#fail("edited_content", "the content does not hash to its chain hash", seq);
  }

  #control({ seq, event, erased }: BundleEvent): void {
    if (erased) this.#erased.push({ seq, id: event.id, units: Object.keys(erased) });
    const metadata = (event.metadata ?? {}) as Record<string, unknown>;
    if (event.action === ERASED)
      for (const target of event.targets as ({ id?: string } | null)[])
        if (target?.id) {
          const units = String(metadata.units).split(",");
          this.#allowed.set(target.id, [...(this.#allowed.get(target.id) ?? []), { seq, units }]);
        }
    const epoch = this.#epochs[this.#begun];
    if (epoch?.start_seq === seq) {
      const isSaid =
        event.action === EPOCH_STARTED &&
        metadata.epoch === String(epoch.epoch) &&
        metadata.last_good_size === String(epoch.last_good_size) &&
        metadata.signed_size === String(epoch.signed_size);
      if (!isSaid) this.#fail("wrong_origin", `no event begins epoch ${epoch.epoch}`, seq);
      this.#begun += 1;
    }
    if (event.action !== PRUNED || seq !== this.#prune?.event_seq) return;
    const { size, chain_hash, frontier } = this.#prune;
    const root = Frontier.restore(
      size,
      frontier.map((hash) => Buffer.from(hash, "hex")),
    ).root();
    if (metadata.root !== root.toString("hex"))
      this.#find("bad_prune_record", "the frontier does not hash to the root that was signed", seq);
    this.#isPruneNamed = metadata.prune_size === String(size) && metadata.chain_hash === chain_hash;
  }

  #compare({ seq, chain_hash }: BundleEvent): void {
    for (const receipt of this.#receipts.get(seq) ?? []) {
      this.verdict.receipts += 1;
      if (receipt.chain_hash !== chain_hash)
        this.#find("receipt_mismatch", "another event was acknowledged under this number", seq);
    }
    this.#receipts.delete(seq);
    const size = seq + 1;
    for (const root of this.#elsewhere.get(size) ?? [])
      if (!root.equals(this.#tree.root()))
        this.#fail("forked_checkpoint", `two histories of ${size} events were signed`, seq);
    if (this.#elsewhere.delete(size)) this.#covered(size);
  }

  #covered(size: number): void {
    this.verdict.signed_to = size;
    this.verdict.checkpoints += 1;
  }

  #meet(note: string): void {
    const { size, root } = this.#signed(note, "a checkpoint");
    if (this.#doubtful) this.#judge(null);
    if (size !== this.#place())
      this.#fail("checkpoint_row_mismatch", `a checkpoint of ${size} events stands elsewhere`);
    if (!root.equals(this.#tree.root()))
      this.#fail(
        "history_rewritten",
        `events ${this.verdict.signed_to} to ${size - 1} are not those that were signed`,
        this.verdict.signed_to,
      );
    this.#covered(size);
  }

  #end({ events }: { events: number }): void {
    this.#ended = true;
    if (events !== this.verdict.checked)
      this.#fail("deleted_row", `the file should have ${events} events`);
  }

  finish(): void {
    if (!this.#header) this.#fail("malformed_bundle", "the file is empty", null);
    if (this.#doubtful) this.#judge(null);
    const { next_seq } = this.#header;
    if (!this.#ended) this.#fail("truncated_tail", "the file ends before its end line");
    if (this.#place() !== next_seq)
      this.#fail("truncated_tail", `the log had ${next_seq} events when this was written`);
    if (this.#begun < this.#epochs.length)
      this.#find("wrong_origin", "an epoch of the header never began", this.#place());
    for (const size of this.#elsewhere.keys())
      if (size > next_seq) this.#find("truncated_tail", `${size} events were signed`, next_seq);
    for (const seq of this.#receipts.keys())
      if (seq >= next_seq) this.#find("receipt_missing", "an acknowledged event is gone", seq);
    if (this.#prune && !this.#isPruneNamed)
      this.#find("unauthorised_prune", "no signed event names this pruning", this.#prune.size);
    if (!this.#prune && this.#header.first_seq > 0)
      this.#find("unauthorised_prune", "the beginning is gone without a record", 0);
    for (const { seq, id, units: erased } of this.#erased) {
      const allowed = this.#allowed.get(id)?.filter((by) => by.seq > seq) ?? [];
      const isAllowed = (unit: string) => allowed.some(({ units }) => units.includes(unit));
      if (!erased.every(isAllowed))
        this.#find("unauthorised_erasure", "erased without an erasure event", seq);
    }
    if (this.verdict.signed_to === 0)
      this.#find("missing_checkpoint", "no trusted signature covers any event", null);
  }
}

/** The chain hash of a line's content; null where it cannot have been sealed. */
export function leafOf(origin: string, row: BundleEvent, previous: Buffer): Buffer | null {
  const { actor = null, context = null, metadata = null, ...event } = row.event;
  try {
    const content = { ...event, actor, context, metadata };
    const digest = eventDigest(content, Buffer.from(row.salts, "hex"), row.erased);
    return leafHash(origin, row.seq, row.recorded_at, digest, previous);
  } catch {
    return null;
  }
}

function parsed(text: string, seq: number): BundleLine {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    throw new Stop({ kind: "malformed_bundle", seq, detail: "a line is no JSON" });
  }
  if (isLine(line)) return line;
  throw new Stop({ kind: "malformed_bundle", seq, detail: "a line of an unknown kind" });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown) => typeof value === "string";

const isEpoch = (epoch: unknown) =>
  isObject(epoch) &&
  [epoch.epoch, epoch.start_seq].every(isCount) &&
  isText(epoch.origin) &&
  [epoch.last_good_size ?? 0, epoch.signed_size ?? 0].every(isCount);

/** Written out, so that this file needs nothing else to be read. */
function isLine(line: unknown): line is BundleLine {
  if (!isObject(line)) return false;
  if ("format" in line)
    return (
      [line.format, line.origin, line.organization_id].every(isText) &&
      [line.first_seq, line.next_seq].every(isCount) &&
      (line.epochs === undefined || (Array.isArray(line.epochs) && line.epochs.every(isEpoch)))
    );
  if ("checkpoint" in line) return isText(line.checkpoint);
  if ("end" in line) return isObject(line.end) && isCount(line.end.events);
  if ("prune" in line) {
    const { prune } = line;
    if (!isObject(prune) || !isText(prune.chain_hash)) return false;
    const { frontier } = prune;
    return (
      [prune.size, prune.event_seq].every(isCount) &&
      Array.isArray(frontier) &&
      frontier.every(isText)
    );
  }
  const { event, erased = {} } = line;
  return (
    isCount(line.seq) &&
    [line.recorded_at, line.salts, line.chain_hash].every(isText) &&
    isObject(event) &&
    Array.isArray(event.targets) &&
    isText(event.id) &&
    isObject(erased)
  );
}
