import { z } from "zod";

/**
 * Damage a verification can name (integrity spec §4); the last needs no damage at all. Of two that begin at one
 * event, the earlier in this list is shown.
 */
export const damageKinds = [
  "edited_content",
  "edited_hash",
  "deleted_row",
  "inserted_row",
  "reordered",
  "truncated_tail",
  "bad_signature",
  "bad_prune_record",
  "forked_checkpoint",
  "history_rewritten",
  "receipt_mismatch",
  "receipt_missing",
  "projection_mismatch",
  "merkle_cache_tampered",
  "checkpoint_row_mismatch",
  "missing_checkpoint",
  "wrong_origin",
  "missing_log",
  "unauthorised_erasure",
  "unauthorised_prune",
  "nothing_checked",
] as const;

export const damageKindSchema = z.enum(damageKinds);
export type DamageKind = z.infer<typeof damageKindSchema>;

export const findingSchema = z.object({
  kind: damageKindSchema,
  /** First sequence number the damage concerns; null where it concerns the log as a whole. */
  seq: z.number().int().nullable(),
  detail: z.string(),
  /** Hex chain hashes, where two of them disagree. */
  stored: z.string().optional(),
  recomputed: z.string().optional(),
});
export type Finding = z.infer<typeof findingSchema>;

/** What a verification says. `ok` is true only when at least one event was checked and nothing was found. */
export const verdictSchema = z.object({
  ok: z.boolean(),
  /** Events recomputed. */
  checked: z.number().int(),
  first_seq: z.number().int(),
  /** Last event that was checked; null when there was none. */
  last_seq: z.number().int().nullable(),
  /** The head's next sequence number in the snapshot that was checked. */
  next_seq: z.number().int(),
  first_bad_seq: z.number().int().nullable(),
  kind: damageKindSchema.nullable(),
  detail: z.string().nullable(),
  findings: z.array(findingSchema),
  /** Events below this are covered by a signature that the rows meet. */
  proven_to: z.number().int().default(0),
  /** The newest checkpoint that the rows meet; its root in hex. */
  last_good: z
    .object({ origin: z.string(), size: z.number().int(), root: z.string() })
    .nullable()
    .default(null),
  /** What the rows were held against. */
  evidence: z
    .object({ checkpoints: z.number().int(), receipts: z.number().int() })
    .default({ checkpoints: 0, receipts: 0 }),
  /** What this verification could not say, in sentences. */
  not_covered: z.array(z.string()).default([]),
  /** More was found than `findings` lists. */
  findings_truncated: z.boolean(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  duration_ms: z.number(),
  rate_per_s: z.number(),
});
export type Verdict = z.infer<typeof verdictSchema>;

export const verificationProgressSchema = z.object({
  checked: z.number().int().default(0),
  total: z.number().int().default(0),
  rate_per_s: z.number().default(0),
  eta_s: z.number().nullable().default(null),
});
export type VerificationProgress = z.infer<typeof verificationProgressSchema>;

/** One run, as the integrity page lists it. */
export interface Verification {
  id: string;
  state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  progress: VerificationProgress;
  verdict: Verdict | null;
  /** Why a failed run could not finish: not a statement about the log. */
  error: string | null;
  createdBy: string | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

/** A signed state of the log, as the integrity page lists it. */
export interface CheckpointRow {
  size: number;
  note: string;
  createdAt: string;
  /** In hex; null when the note is not signed by the log's key. */
  root: string | null;
  /** The checkpoint before it, and whether the tree shows that this one contains it. */
  extends: { size: number; isProven: boolean } | null;
}

export type WitnessKind = "directory" | "http";

export const WITNESS_NAME: Record<WitnessKind, string> = {
  directory: "witness directory",
  http: "HTTP witness",
};

/** How a log's publication to a witness fares. */
export interface WitnessState {
  kind: WitnessKind;
  /** Of the newest checkpoint that is there; 0 for none. */
  size: number;
  /** When it last took one, or said that it has the newest. */
  publishedAt: string | null;
  failingSince: string | null;
  error: string | null;
}

/** What is known of the log along the buckets of a chart of times. */
export interface TrailMarks {
  /** Buckets in which a checkpoint was signed. */
  checkpoints: number[];
  /** What was received before is verified and signed; epoch milliseconds, null: everything is. */
  openFromMs: number | null;
  /** The first event that does not verify; its own time, or that of what stands in its place. */
  broken: { seq: number | null; atMs: number | null } | null;
}

/** Why nothing is signed for a log: the database does not extend what its signer remembers. */
export interface Refusal {
  why: "rollback" | "fork" | "wrong_origin";
  /** Events that were signed, and that the database has. */
  signedSize: number;
  nextSeq: number;
}
