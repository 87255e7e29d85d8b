import { type BundleEvent, leafOf } from "./bundle";
import { isSameOrLaterEpoch } from "./checkpoint";
import { genesisHash } from "./event-hash";
import type { NoteKey } from "./note";
import { assertHash } from "./sha256";
import { parseTlogProof, verifyTlogProof } from "./tlog-proof";

/** One event with all that shows it in a signed log, for a file that is checked alone. */
export const EVENT_PROOF_FORMAT = "trailseal-proof/1";

export interface EventProof {
  format: typeof EVENT_PROOF_FORMAT;
  /** Under which the event was sealed; the checkpoint may be of a later epoch of the same log. */
  origin: string;
  /** As a bundle has it. */
  line: BundleEvent;
  /** Chain hash of the event before, in hex. */
  previous_hash: string;
  /** C2SP tlog-proof of the event's leaf, with the signed checkpoint it leads to. */
  proof: string;
}

export interface ProofVerdict {
  ok: boolean;
  /** Which step failed. */
  failed: "content" | "place" | "signature" | "inclusion" | null;
  detail: string | null;
}

/** Recomputes an event from its content to the signature of a key that the caller trusts. */
export function verifyEventProof(
  { origin, line, previous_hash, proof }: EventProof,
  trusted: readonly NoteKey[],
): ProofVerdict {
  const fail = (failed: ProofVerdict["failed"], detail: string) => ({ ok: false, failed, detail });
  const previous = line.seq === 0 ? genesisHash(origin) : Buffer.from(previous_hash, "hex");
  const leaf = leafOf(origin, line, previous);
  if (leaf?.toString("hex") !== line.chain_hash)
    return fail("content", "the content does not hash to the chain hash");
  let holds: boolean;
  try {
    assertHash(previous, "the previous hash");
    const parsed = parseTlogProof(proof);
    if (parsed.index !== line.seq) return fail("place", `the proof is of event #${parsed.index}`);
    const signed = originOf(parsed.note);
    if (!isSameOrLaterEpoch(signed, origin))
      return fail("signature", `the checkpoint is of another log: ${signed}`);
    holds = verifyTlogProof(parsed, leaf, signed, trusted);
  } catch (error) {
    return fail("signature", (error as Error).message);
  }
  return holds
    ? { ok: true, failed: null, detail: null }
    : fail("inclusion", "the event is not in the tree that was signed");
}

/** The log that a proof's checkpoint says that it is of. */
export const originOf = (note: string): string => note.split("\n", 1)[0] as string;
