import type { EventProof, ProofVerdict } from "@/lib/chain/event-proof";

/** What the page asks its worker. */
export interface ProofRequest {
  id: number;
  proofs: EventProof[];
  /** Keys that this log is signed with. */
  vkeys: string[];
}

/** What the worker found of one event. */
export interface CheckedProof {
  seq: number;
  failed: ProofVerdict["failed"];
  detail: string | null;
  /** The signed state that it leads to; root in hex. */
  checkpoint: { size: number; root: string } | null;
}

/** Proofs of events, as the page gets them. */
export interface ProofBatch {
  vkeys: string[];
  proofs: EventProof[];
  /** Numbers that no checkpoint covers yet. */
  pending: number[];
  /** Numbers that what is stored cannot prove. */
  broken: number[];
}
