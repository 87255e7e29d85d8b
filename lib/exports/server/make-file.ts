import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import type { Scope } from "@/lib/auth/scope";
import { filePieces } from "@/lib/events/server/csv";
import { fileHeader } from "@/lib/events/server/file-columns";
import { writeBundle } from "@/lib/integrity/server/bundle";
import { exportFilter } from "../schema";
import { csvRow } from "../verify-export";
import { BeginAnew, type Claim } from "./claim";
import { ExportFile, type Sequence, type Written } from "./export-file";
import { exportDirectory, fileOf, partOf, removeFiles } from "./files";

interface Making {
  signal: AbortSignal;
  pieceSize?: number | undefined;
  /** Says that the worker is at it, with changes whose values are $5 and so on. @throws when it is another's now */
  keep: (changes: string, values: unknown[]) => Promise<void>;
}

export interface MadeFile {
  written: Written;
  rows: { count: number; sha256: string } | null;
  sequence: Sequence;
  /** Null for a bundle. */
  file: ExportFile | null;
}

type Started = Claim & { sequence: Sequence };

/** Writes the file whole, under its own name. */
export const makeFile = (scope: Scope, claim: Started, making: Making): Promise<MadeFile> =>
  claim.format === "bundle"
    ? makeBundle(scope, claim, making)
    : makeRows(scope, { ...claim, format: claim.format }, making);

/** Piece by piece: what is safe of an earlier attempt is taken over. */
async function makeRows(
  scope: Scope,
  claim: Started & { format: "csv" | "ndjson" },
  { signal, pieceSize, keep }: Making,
): Promise<MadeFile> {
  const { sequence, options, search, format, safe } = claim;
  const lines = { ...options, format };
  const request = {
    ...lines,
    filter: exportFilter(search),
    from: search.range_start,
    to: search.range_end,
    // What is pruned may be there for a while.
    sequence,
  };
  const file = await ExportFile.create(fileOf(claim), format, sequence, options.proof);
  let isSafe = false;
  try {
    if (safe) {
      const earlier = fileOf({ ...claim, attempt: safe.attempt });
      if (!(await file.takeOver(earlier, safe)))
        throw new BeginAnew("What was written before is not on this server any more.", true);
    } else {
      const header = fileHeader(lines);
      if (header) await file.write(Buffer.from(csvRow(header)));
    }
    const start = safe?.position ?? null;
    for await (const piece of filePieces(scope, request, { start, size: pieceSize })) {
      for await (const chunk of addAbortSignal(signal, piece.lines) as AsyncIterable<Buffer>)
        await file.write(chunk);
      signal.throwIfAborted();
      if (piece.next === null) break;
      const written = await file.settle();
      const { bytes, events } = written;
      const now = { ...written, position: piece.next, attempt: claim.attempt };
      await keep("events = $5, bytes = $6, safe = $7, tries = 1, error = NULL", [
        ...[events, bytes, JSON.stringify(now)],
      ]);
      if (safe && !isSafe) await removeFiles({ ...claim, attempt: safe.attempt });
      isSafe = true;
    }
    return { ...(await file.finish()), sequence, file };
  } catch (error) {
    await file.giveUp(isSafe);
    throw error;
  }
}

/** Lines between two words that the worker is at it. */
const BUNDLE_PIECE = 20_000;
const BUFFER_BYTES = 262_144;

/** In one snapshot of the log, from its beginning: after a stop it begins anew. */
async function makeBundle(scope: Scope, claim: Started, making: Making): Promise<MadeFile> {
  const { signal, keep } = making;
  const name = fileOf(claim);
  const hash = createHash("sha256");
  let [bytes, events] = [0, 0];
  let { sequence } = claim;
  let waiting = "";
  await mkdir(exportDirectory(), { recursive: true, mode: 0o700 });
  const handle = await open(partOf(name), "w", 0o600);
  try {
    const flush = async () => {
      const chunk = Buffer.from(waiting);
      waiting = "";
      hash.update(chunk);
      bytes += chunk.length;
      await handle.writeFile(chunk);
    };
    const written = await writeBundle(scope, async (line) => {
      signal.throwIfAborted();
      if (bytes === 0 && waiting === "") {
        const { first_seq: first, next_seq: end } = JSON.parse(line);
        sequence = { first, end };
      } else events += line.startsWith('{"seq"') ? 1 : 0;
      waiting += `${line}\n`;
      if (waiting.length >= BUFFER_BYTES) await flush();
      if (events % BUNDLE_PIECE === 0 && events > 0)
        await keep("events = $5, bytes = $6, tries = 1", [events, bytes]);
    });
    await flush();
    await handle.sync();
    await rename(partOf(name), name);
    const sha256 = hash.digest("hex");
    return { written: { bytes, events: written.events, sha256 }, rows: null, sequence, file: null };
  } catch (error) {
    await rm(partOf(name), { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
