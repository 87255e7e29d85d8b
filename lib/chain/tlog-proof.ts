import { decodeBase64, encodeBase64 } from "./base64";
import { openCheckpoint } from "./checkpoint";
import { verifyInclusion } from "./merkle";
import type { NoteKey } from "./note";
import { assertHash } from "./sha256";

/** A proof file (C2SP tlog-proof): why one leaf is in the tree of a signed checkpoint. */
export interface TlogProof {
  index: number;
  hashes: Buffer[];
  /** The signed note of the checkpoint. */
  note: string;
}

const HEADER = "c2sp.org/tlog-proof@v1";

export function formatTlogProof({ index, hashes, note }: TlogProof): string {
  const lines = hashes.map((hash) => `${encodeBase64(hash)}\n`).join("");
  return `${HEADER}\nindex ${index}\n${lines}\n${note}`;
}

/** @throws RangeError when the text is not a proof. */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf("\n\n");
  const [header, position, ...encoded] = text.slice(0, split).split("\n");
  const index = /^index (0|[1-9]\d*)$/.exec(position ?? "")?.[1];
  if (split < 0 || header !== HEADER || index === undefined) {
    throw new RangeError("not a tlog-proof");
  }
  if (encoded.length > 63) throw new RangeError("no tree is that high");
  const hashes = encoded.map((line) => {
    const hash = decodeBase64(line);
    assertHash(hash, "a proof's node");
    return hash;
  });
  return { index: Number(index), hashes, note: text.slice(split + 2) };
}

/** Whether the proof shows `leaf` in the log `origin`. @throws NoteError, RangeError for a bad checkpoint. */
export function verifyTlogProof(
  proof: TlogProof,
  leaf: Uint8Array,
  origin: string,
  trusted: readonly NoteKey[],
): boolean {
  const { size, root } = openCheckpoint(proof.note, origin, trusted);
  return verifyInclusion(leaf, proof.index, size, proof.hashes, root);
}
