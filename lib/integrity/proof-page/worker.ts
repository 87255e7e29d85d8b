import { openCheckpoint } from "@/lib/chain/checkpoint";
import { type EventProof, originOf, verifyEventProof } from "@/lib/chain/event-proof";
import { type NoteKey, parseVkey } from "@/lib/chain/note";
import { parseTlogProof } from "@/lib/chain/tlog-proof";
import type { CheckedProof, ProofRequest } from "./checked";

// Checks proofs beside the page, so that scrolling never waits for a hash.

function check(proof: EventProof, trusted: readonly NoteKey[]): CheckedProof {
  const { seq } = proof.line;
  try {
    const { failed, detail } = verifyEventProof(proof, trusted);
    if (failed !== null) return { seq, failed, detail, checkpoint: null };
    const { note } = parseTlogProof(proof.proof);
    const { size, root } = openCheckpoint(note, originOf(note), trusted);
    return { seq, failed, detail, checkpoint: { size, root: root.toString("hex") } };
  } catch (error) {
    return { seq, failed: "signature", detail: (error as Error).message, checkpoint: null };
  }
}

addEventListener("message", ({ data }: MessageEvent<ProofRequest>) => {
  const trusted = data.vkeys.map(parseVkey);
  const checked = data.proofs.map((proof) => check(proof, trusted));
  (self as unknown as Worker).postMessage({ id: data.id, checked });
});
