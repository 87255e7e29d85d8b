import type { EventProof } from "@/lib/chain/event-proof";
import type { CheckedProof, ProofBatch, ProofRequest } from "@/lib/integrity/proof-page/checked";

// Fetches proofs and has the worker check them. A fetch that fails throws: it says nothing about an event.

export type SealState = "proven" | "failed" | "pending";

let worker: Worker | undefined;
let asked = 0;
const waiting = new Map<
  number,
  { resolve(checked: CheckedProof[]): void; reject(error: Error): void }
>();

function startWorker(): Worker {
  const started = new Worker("/proof-worker.js");
  started.addEventListener("message", ({ data }) => {
    waiting.get(data.id)?.resolve(data.checked);
    waiting.delete(data.id);
  });
  started.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(new Error("the worker did not start"));
    waiting.clear();
    worker = undefined;
  });
  return started;
}

function check(proofs: EventProof[], vkeys: string[]): Promise<CheckedProof[]> {
  worker ??= startWorker();
  asked += 1;
  const request: ProofRequest = { id: asked, proofs, vkeys };
  return new Promise((resolve, reject) => {
    waiting.set(request.id, { resolve, reject });
    worker?.postMessage(request);
  });
}

export interface Proven {
  vkeys: string[];
  checked: CheckedProof[];
  states: Map<number, SealState>;
}

/** What this browser finds of events of a log. Those that are gone have no state. */
export async function prove(
  organizationId: string,
  seqs: readonly number[],
  signal: AbortSignal,
): Promise<Proven> {
  const response = await fetch(`/o/${organizationId}/events/proofs?seqs=${seqs.join()}`, {
    signal,
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const batch = (await response.json()) as ProofBatch;
  const checked = await check(batch.proofs, batch.vkeys);
  const states = new Map<number, SealState>();
  for (const { seq, failed } of checked) states.set(seq, failed === null ? "proven" : "failed");
  for (const seq of batch.pending) states.set(seq, "pending");
  for (const seq of batch.broken) states.set(seq, "failed");
  return { vkeys: batch.vkeys, checked, states };
}
