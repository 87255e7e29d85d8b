import { createHash } from "node:crypto";
import { type Checkpoint, openCheckpoint } from "@/lib/chain/checkpoint";
import { Frontier } from "@/lib/chain/merkle";
import type { NoteKey } from "@/lib/chain/note";
import { compareRows } from "./compare-rows";
import { type Manifest, type OpenedManifest, openManifest } from "./manifest";
import { leafOf, ROW_HASH_BYTES, RowSplitter, rowHash } from "./rows";
import { isEverything } from "./schema";

/** Whether a file is the one that its manifest was signed for, and whether anything of the log is missing in it. */

const HASH_BYTES = 32;
const MAX_FINDINGS = 100;
const NO_LEAF = "00".repeat(HASH_BYTES);

interface ExportFinding {
  kind:
    | "bad_manifest"
    | "header_changed"
    | "row_changed"
    | "row_added"
    | "row_removed"
    | "file_changed"
    | "bad_checkpoint"
    | "not_of_the_log"
    | "events_missing"
    | "counts_differ";
  /** Of the file, from 1, the header not counted. */
  row: number | null;
  seq: number | null;
  detail: string;
}

export interface ExportVerdict {
  ok: boolean;
  id: string | null;
  origin: string | null;
  rows: number;
  /** true: every event of the log up to the signed checkpoint is a row, or is counted as passed over. */
  is_complete: boolean;
  manifest: Manifest | null;
  findings: ExportFinding[];
  /** What this verdict does not say, in sentences. */
  not_covered: string[];
}

/** Hashes of one size, one behind the other. */
class Hashes {
  count = 0;
  private bytes: Buffer;

  constructor(private readonly size: number) {
    this.bytes = Buffer.alloc(size * 4_096);
  }

  add(hex: string): void {
    const at = this.count * this.size;
    if (at === this.bytes.length) this.bytes = Buffer.concat([this.bytes], 2 * at);
    this.bytes.write(hex, at, "hex");
    this.count += 1;
  }

  at(index: number): Buffer {
    return this.bytes.subarray(index * this.size, (index + 1) * this.size);
  }

  get all(): Buffer {
    return this.bytes.subarray(0, this.count * this.size);
  }
}

/** The rows of a file as they are read: hashes, and places in the log where rows say them. */
class FileReading {
  readonly hashes = new Hashes(ROW_HASH_BYTES);
  readonly digest = createHash("sha256");
  /** Of each row, and its leaf; null and zeros where it says none. */
  readonly seqs: (number | null)[] = [];
  readonly leaves = new Hashes(HASH_BYTES);
  bytes = 0;
  header: string | null = null;
  private readonly splitter: RowSplitter;

  constructor(
    private readonly format: "csv" | "ndjson",
    private readonly hasHeader: boolean,
    /** Whether the last columns are a row's place in the log. */
    private readonly hasPlaces: boolean,
  ) {
    this.splitter = new RowSplitter(format);
  }

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.digest.update(chunk);
    this.splitter.add(chunk, (row) => {
      if (this.hasHeader && this.header === null) this.header = row.toString();
      else this.addRow(row);
    });
  }

  get unfinished(): number {
    return this.splitter.unfinished;
  }

  private addRow(row: Buffer): void {
    const leaf = this.hasPlaces ? leafOf(this.format, row) : null;
    this.hashes.add(rowHash(row));
    this.seqs.push(leaf?.seq ?? null);
    this.leaves.add(leaf?.hash ?? NO_LEAF);
  }
}

/**
 * @param file the bytes of the exported file
 * @param manifest lines of its manifest, without line ends
 * @param trusted keys from the verifier's own configuration, never from the files
 */
export async function verifyExport(
  file: AsyncIterable<Buffer>,
  manifest: AsyncIterable<string>,
  trusted: readonly NoteKey[],
): Promise<ExportVerdict> {
  let opened: OpenedManifest;
  try {
    opened = await openManifest(manifest, trusted);
  } catch (error) {
    const detail = `The manifest does not hold: ${(error as Error).message}.`;
    return {
      ...{ ok: false, id: null, origin: null, rows: 0, is_complete: false, manifest: null },
      findings: [{ kind: "bad_manifest", row: null, seq: null, detail }],
      not_covered: [],
    };
  }
  return new Check(opened, trusted).run(file);
}

class Check {
  private readonly findings: ExportFinding[] = [];
  private readonly notCovered: string[] = [];

  constructor(
    private readonly opened: OpenedManifest,
    private readonly trusted: readonly NoteKey[],
  ) {}

  async run(file: AsyncIterable<Buffer>): Promise<ExportVerdict> {
    const { manifest } = this.opened;
    const format = manifest.format === "csv" ? "csv" : "ndjson";
    const reading = new FileReading(format, manifest.format === "csv", hasPlaces(manifest));
    for await (const chunk of file) reading.add(chunk);
    this.checkData();
    this.checkFile(reading);
    this.checkCounts(reading);
    const isComplete = this.checkLog(reading);
    return {
      ok: this.findings.length === 0,
      id: manifest.id,
      origin: manifest.origin,
      rows: reading.hashes.count,
      is_complete: isComplete && this.findings.length === 0,
      manifest,
      findings: this.findings,
      not_covered: this.notCovered,
    };
  }

  private find(kind: ExportFinding["kind"], detail: string, row?: number, seq?: number | null) {
    if (this.findings.length < MAX_FINDINGS)
      this.findings.push({ kind, row: row ?? null, seq: seq ?? null, detail });
  }

  /** The manifest's own lines are those that were signed. */
  private checkData(): void {
    for (const name of ["rows", "left"] as const) {
      const [signed, bytes] = [this.opened.manifest[name], this.opened[name]];
      const isWhole = signed
        ? createHash("sha256").update(bytes).digest("hex") === signed.sha256
        : bytes.length === 0;
      if (!isWhole)
        this.find("bad_manifest", `The manifest's “${name}” lines are not those that were signed.`);
    }
  }

  /** The bytes are those that were signed; else which rows are not. */
  private checkFile(reading: FileReading): void {
    const { manifest } = this.opened;
    if (reading.digest.digest("hex") === manifest.file.sha256) return;
    const before = this.findings.length;
    if (manifest.columns && reading.header !== csvRow(manifest.columns))
      this.find("header_changed", `The header row is not ${manifest.columns.join(", ")}.`);
    if (manifest.rows && before === 0) this.nameRows(reading);
    if (reading.unfinished > 0)
      this.find(
        "file_changed",
        `The last ${reading.unfinished} bytes are no whole row: the file may be cut off.`,
      );
    if (this.findings.length === before)
      this.find(
        "file_changed",
        `The file has ${reading.bytes} bytes and another hash; ${manifest.file.bytes} were signed.`,
      );
  }

  /** What the manifest says of the log, and what that leaves open. */
  private checkCounts(reading: FileReading): void {
    const { matching, passed_over: passed, missing, ...manifest } = this.opened.manifest;
    const { first_seq: first, end_seq: end } = manifest.sequence;
    if (matching + passed + missing !== end - first)
      this.find(
        "counts_differ",
        `The log has ${end - first} events there; ${matching} taken, ${passed} passed over and ${missing} missing make another number.`,
      );
    if (manifest.rows && manifest.rows.count !== matching)
      this.find("counts_differ", `${manifest.rows.count} rows were signed as ${matching} events.`);
    if (missing > 0)
      this.find(
        "events_missing",
        `${missing} events were not in the database any more when this was made: verify the log.`,
      );
    if (passed > 0 && isEverything(manifest.search))
      this.find("counts_differ", `${passed} events were passed over, although nothing was to be.`);
    if (passed > 0)
      this.notCovered.push(
        `Which events the search passes over (${passed}) is the server's word: they are counted${manifest.left ? ", and their hashes are of the log" : ""}.`,
      );
    if (manifest.format !== "bundle" && reading.hashes.count > 0)
      this.notCovered.push(
        "What stands in a row is the server's word, signed; that it is what was sealed, a bundle proves.",
      );
  }

  private nameRows(reading: FileReading): void {
    const at = (row: number) => {
      const seq = reading.seqs[row - 1] ?? null;
      return { seq, words: seq === null ? `Row ${row}` : `Row ${row} (#${seq})` };
    };
    for (const difference of compareRows(reading.hashes.all, this.opened.rows, MAX_FINDINGS)) {
      const { kind, row } = difference;
      const { seq, words } = at(row);
      if (kind === "row_changed") this.find(kind, `${words} was changed.`, row, seq);
      else if (kind === "row_added") this.find(kind, `${words} was added.`, row, seq);
      else {
        const [before, after] = [reading.seqs[row - 2], reading.seqs[row - 1]];
        const place = row === 1 ? "at the beginning" : `behind row ${row - 1}`;
        const between = before != null && after != null ? `, between #${before} and #${after}` : "";
        const what = difference.count === 1 ? "A row was" : `${difference.count} rows were`;
        this.find(kind, `${what} removed ${place}${between}.`, row);
      }
    }
  }

  /** The rows, and what was passed over, are all that the signed checkpoint covers. */
  private checkLog(reading: FileReading): boolean {
    const { manifest } = this.opened;
    const { first_seq: first, end_seq: end } = manifest.sequence;
    if (manifest.format === "bundle") {
      this.notCovered.push("A bundle proves itself: `trailseal verify --bundle` checks it.");
      return false;
    }
    if (first === end) return true;
    const checkpoint = this.checkpoint();
    if (!checkpoint || manifest.missing > 0) return false;
    if (!hasPlaces(manifest) || (manifest.passed_over > 0 && !manifest.left)) {
      this.notCovered.push(
        "That nothing is missing stands in the signed counts alone: export with proof to rebuild the log's root.",
      );
      return false;
    }
    if (manifest.left && manifest.left.count !== manifest.passed_over) {
      this.find(
        "counts_differ",
        `${manifest.left.count} hashes stand for ${manifest.passed_over} events.`,
      );
      return false;
    }
    if (reading.seqs.some((seq) => seq === null)) {
      this.find("not_of_the_log", "A row does not say its place in the log.");
      return false;
    }
    try {
      const tree = Frontier.restore(
        first,
        manifest.frontier.map((hash) => Buffer.from(hash, "hex")),
      );
      if (!this.grow(tree, reading)) return false;
      if (tree.root().equals(checkpoint.root)) return true;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    this.find(
      "not_of_the_log",
      "The rows, with what was passed over, do not make the root that the checkpoint signs.",
    );
    return false;
  }

  private checkpoint(): Checkpoint | null {
    const { manifest } = this.opened;
    if (manifest.checkpoint === null) {
      this.notCovered.push(
        "The log had no checkpoint of just this size: its integrity page says whether the signer refuses it.",
      );
      return null;
    }
    try {
      const checkpoint = openCheckpoint(manifest.checkpoint, manifest.origin, this.trusted);
      if (checkpoint.size === manifest.sequence.end_seq) return checkpoint;
      this.find(
        "bad_checkpoint",
        `The checkpoint is of ${checkpoint.size} events, the export of ${manifest.sequence.end_seq}.`,
      );
    } catch (error) {
      this.find("bad_checkpoint", `The checkpoint does not hold: ${(error as Error).message}.`);
    }
    return null;
  }

  /** Appends every leaf in its place; false where places are taken twice, or nothing is left for one. */
  private grow(tree: Frontier, reading: FileReading): boolean {
    const { left, manifest } = this.opened;
    const { first_seq: first, end_seq: end } = manifest.sequence;
    const seqs = reading.seqs as number[];
    const order = Uint32Array.from(seqs.keys()).sort(
      (one, other) => (seqs[one] as number) - (seqs[other] as number),
    );
    let [row, taken] = [0, 0];
    for (let seq = first; seq < end; seq += 1) {
      const at = order[row];
      if (at !== undefined && (seqs[at] as number) <= seq) {
        if (seqs[at] !== seq) return this.strange(at, seqs[at] as number, first);
        tree.append(reading.leaves.at(at));
        row += 1;
      } else if (taken < left.length) {
        tree.append(left.subarray(taken, taken + HASH_BYTES));
        taken += HASH_BYTES;
      } else {
        this.find("row_removed", `#${seq} is missing.`, undefined, seq);
        return false;
      }
    }
    const at = order[row];
    if (at !== undefined) return this.strange(at, seqs[at] as number, first);
    if (taken === left.length) return true;
    this.find(
      "not_of_the_log",
      "More events were left out than there is room for beside the rows.",
    );
    return false;
  }

  private strange(at: number, seq: number, first: number): false {
    const { end_seq: end } = this.opened.manifest.sequence;
    const isInside = seq >= first && seq < end;
    const why = isInside ? "is there twice" : "is none of those that were looked at";
    this.find("not_of_the_log", `#${seq} ${why}.`, at + 1, seq);
    return false;
  }
}

/** Whether each row ends in its place in the log. */
const hasPlaces = ({ columns, format }: Manifest): boolean =>
  format === "ndjson" || columns?.slice(-2).join() === "seq,chain_hash";

/** One row of RFC 4180 text. */
export const csvRow = (cells: readonly string[]): string =>
  `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
