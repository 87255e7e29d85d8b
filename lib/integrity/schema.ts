import { z } from "zod";

/** Damage a verification can name (integrity spec §4); the last needs no damage at all. */
export const damageKinds = [
  "edited_content",
  "edited_hash",
  "deleted_row",
  "inserted_row",
  "reordered",
  "truncated_tail",
  "history_rewritten",
  "projection_mismatch",
  "merkle_cache_tampered",
  "bad_signature",
  "checkpoint_row_mismatch",
  "missing_checkpoint",
  "wrong_origin",
  "missing_log",
  "unauthorised_erasure",
  "unauthorised_prune",
  "bad_prune_record",
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
