import { openCheckpoint } from "@/lib/chain/checkpoint";
import type { EventProof } from "@/lib/chain/event-proof";
import { originOf, type ProofVerdict, verifyEventProof } from "@/lib/chain/event-proof";
import { parseVkey } from "@/lib/chain/note";
import { parseTlogProof } from "@/lib/chain/tlog-proof";

// The program of a proof that is one HTML file. It fetches nothing: everything is in the file.

const STEPS = ["content", "place", "signature", "inclusion"] as const;

interface Embedded {
  proof: EventProof;
  vkey: string;
}

const at = (id: string) => document.getElementById(id) as HTMLElement;

function show(id: string, text: string): void {
  at(id).textContent = text;
}

function showVerdict(state: "ok" | "failed", words: string): void {
  at("verdict").dataset.state = state;
  show("verdict", words);
}

/** One row of the event; nested values as JSON. */
function addRow(name: string, value: unknown): void {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  description.textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  at("event").append(term, description);
}

function showEvent({ line, origin }: EventProof): void {
  at("event").replaceChildren();
  const { event, erased } = line;
  for (const [name, value] of Object.entries(event)) addRow(name, value);
  if (erased) addRow("erased", `${Object.keys(erased).join(", ")}: only the commitment is left`);
  addRow("recorded_at", line.recorded_at);
  addRow("sequence", `#${line.seq} of ${origin}`);
  addRow("chain_hash", line.chain_hash);
}

const REASON: Record<NonNullable<ProofVerdict["failed"]>, string> = {
  content: "the event is not the one that was sealed",
  place: "the proof is another event's",
  signature: "no signature of this key covers the log",
  inclusion: "the event is not in the log that was signed",
};

function verify({ proof }: Embedded, vkey: string): void {
  let verdict: ProofVerdict;
  try {
    verdict = verifyEventProof(proof, [parseVkey(vkey)]);
  } catch (error) {
    verdict = { ok: false, failed: "signature", detail: (error as Error).message };
  }
  const failedAt = verdict.failed === null ? STEPS.length : STEPS.indexOf(verdict.failed);
  for (const [position, step] of STEPS.entries())
    at(`step-${step}`).dataset.state =
      position < failedAt ? "ok" : position === failedAt ? "failed" : "open";
  show("detail", verdict.detail ?? "");
  if (verdict.ok) {
    const { note, hashes } = parseTlogProof(proof.proof);
    const { size, root } = openCheckpoint(note, originOf(note), [parseVkey(vkey)]);
    showVerdict("ok", `Verified: event #${proof.line.seq} stands in the signed log`);
    show(
      "detail",
      `Recomputed in this page: the event's digest, its chain hash, ${hashes.length} nodes up to the root ${root.toString("hex")} of ${size} events, and the signature over it.`,
    );
  } else if (verdict.failed) {
    showVerdict("failed", `Not proven: ${REASON[verdict.failed]}`);
  }
}

function main(): void {
  let embedded: Embedded;
  try {
    embedded = JSON.parse(at("proof").textContent as string);
    showEvent(embedded.proof);
  } catch {
    showVerdict("failed", "Not proven: what this file holds cannot be read any more");
    return;
  }
  const field = at("key") as HTMLInputElement;
  field.value = embedded.vkey;
  field.addEventListener("input", () => {
    show("whose", field.value.trim() === embedded.vkey ? "the key in this file" : "your key");
    verify(embedded, field.value.trim());
  });
  verify(embedded, embedded.vkey);
}

main();
