import { z } from "zod";
import { canonicalize } from "@/lib/chain/canonical";
import { NoteError, type NoteKey, openNote } from "@/lib/chain/note";
import { exportFormats, exportOptionsSchema, exportSearchSchema } from "./schema";

/**
 * What an export's file is, signed with the log's own key. A manifest is a text file:
 *
 *     trailseal-export/1
 *     { … one line of JSON, as below, canonical … }
 *
 *     — <origin> <signature>                 a signed note (C2SP) up to here
 *     rows <base64>                          eight bytes of the SHA-256 of each row, in the file's order
 *     left <base64>                          leaf hashes of the events that were passed over, by sequence
 *
 * `rows` and `left` lines may be many; the note names the SHA-256 of all their bytes. Nobody takes the note for a
 * checkpoint: that begins with the origin.
 */
const MANIFEST_FORMAT = "trailseal-export/1";

const sha256Hex = z.hex().length(64);
const count = z.int().min(0);

const manifestSchema = z.object({
  id: z.string(),
  organization_id: z.string(),
  origin: z.string(),
  created_by: z.string(),
  created_at: z.iso.datetime(),
  made_at: z.iso.datetime(),
  format: z.enum(exportFormats),
  /** Every time in the file is of this zone. */
  time_zone: z.literal("UTC"),
  search: exportSearchSchema,
  options: exportOptionsSchema,
  /** Names of the columns, in order; null where lines are JSON. */
  columns: z.array(z.string()).nullable(),
  file: z.object({ bytes: count, sha256: sha256Hex }),
  /** Of the log at `checkpoint`: every event from `first_seq` on, below `end_seq`, was looked at. */
  sequence: z.object({ first_seq: count, end_seq: count }),
  /** Events in the file; not in it, since search passes over them; not in the database, although the log has them. */
  matching: count,
  passed_over: count,
  missing: count,
  /** The signed note that covers just these events; null where there was none. */
  checkpoint: z.string().nullable(),
  /** Of the tree below `first_seq`, where that is not 0. */
  frontier: z.array(sha256Hex),
  rows: z.object({ count, sha256: sha256Hex }).nullable(),
  left: z.object({ count, sha256: sha256Hex }).nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const manifestText = (manifest: Manifest): string =>
  `${MANIFEST_FORMAT}\n${canonicalize(manifest)}\n`;

/** Bytes of one `rows` or `left` line before they are encoded. */
export const DATA_LINE_BYTES = 48_000;

export const dataLine = (name: "rows" | "left", bytes: Buffer): string =>
  `${name} ${bytes.toString("base64")}\n`;

export interface OpenedManifest {
  manifest: Manifest;
  rows: Buffer;
  left: Buffer;
}

/**
 * Reads a manifest that one of the trusted keys signed.
 * @throws NoteError when it is malformed, or nobody who is trusted signed it
 */
export async function openManifest(
  lines: AsyncIterable<string>,
  trusted: readonly NoteKey[],
): Promise<OpenedManifest> {
  let note = "";
  const data = { rows: [] as Buffer[], left: [] as Buffer[] };
  for await (const line of lines) {
    const [, name, encoded] = /^(rows|left) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    if (name && encoded) data[name as keyof typeof data].push(Buffer.from(encoded, "base64"));
    else if (data.rows.length + data.left.length > 0)
      throw new NoteError("a line of the manifest is none of its own");
    else note += `${line}\n`;
  }
  const { text, signedBy } = openNote(note, trusted);
  const [format, json, ...rest] = text.split("\n");
  if (format !== MANIFEST_FORMAT || rest.join("") !== "")
    throw new NoteError("this is no manifest of an export");
  const parsed = manifestSchema.safeParse(parseJson(json as string));
  if (!parsed.success) throw new NoteError("the manifest misses what this version expects");
  const { origin } = parsed.data;
  if (!signedBy.some(({ name }) => name === origin))
    throw new NoteError(`the manifest is of ${origin}, which none of the trusted keys is for`);
  return {
    manifest: parsed.data,
    rows: Buffer.concat(data.rows),
    left: Buffer.concat(data.left),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NoteError("the manifest is no JSON");
  }
}
