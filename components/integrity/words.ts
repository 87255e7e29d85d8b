import type { DamageKind, Verdict, Verification } from "@/lib/integrity/schema";

/** Finishes the sentence "Broken at #N: …". */
const DAMAGE: Record<DamageKind, string> = {
  edited_content: "the stored event no longer matches its hash",
  edited_hash: "the stored hash was changed; the event itself still matches",
  deleted_row: "events are missing here",
  inserted_row: "an event stands here that was never sealed",
  reordered: "events stand in another order than they were sealed",
  truncated_tail: "the newest events are missing",
  history_rewritten: "events from here on were changed and sealed anew",
  forked_checkpoint: "two histories were signed with this log's key",
  receipt_mismatch: "another event stands here than the one that was acknowledged",
  receipt_missing: "an event that was acknowledged here is gone",
  projection_mismatch: "what filters, timelines or counts show differs from the sealed events",
  merkle_cache_tampered: "stored tree hashes differ from the events",
  bad_signature: "a checkpoint here is not signed by this log's key",
  checkpoint_row_mismatch: "a checkpoint's row says something else than its signature",
  missing_checkpoint: "a checkpoint that was signed here is gone",
  wrong_origin: "the log's origin was changed",
  missing_log: "the log's head is missing",
  unauthorised_erasure: "fields were erased without an erasure event",
  unauthorised_prune: "the beginning was removed without a pruning event",
  bad_prune_record: "the pruning record does not match the events",
  nothing_checked: "no event was checked",
};

export function damageWords(kind: DamageKind): string {
  return DAMAGE[kind];
}

/** "edited content" from `edited_content`. */
export function damageName(kind: DamageKind): string {
  return kind.replaceAll("_", " ");
}

const count = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return count.format(value);
}

export function formatSeq(seq: number): string {
  return `#${count.format(seq)}`;
}

const clock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: "UTC",
});

/** "23 Nov 2026, 14:02:31 UTC". */
export function formatMoment(iso: string): string {
  return `${clock.format(new Date(iso))} UTC`;
}

export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1_000;
  return seconds < 60
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export type Tone = "none" | "running" | "ok" | "broken" | "unfinished";

export function toneOf(run: Verification | null): Tone {
  if (!run) return "none";
  if (run.state === "queued" || run.state === "running") return "running";
  if (run.state !== "succeeded" || !run.verdict) return "unfinished";
  if (run.verdict.kind === "nothing_checked") return "none";
  return run.verdict.ok ? "ok" : "broken";
}

/** The one sentence the page leads with. */
export function verdictSentence(verdict: Verdict): string {
  if (verdict.kind === "nothing_checked") return "Nothing to check yet";
  if (verdict.ok && verdict.last_seq !== null) {
    return `Verified to ${formatSeq(verdict.last_seq)}`;
  }
  const words = verdict.kind ? damageWords(verdict.kind) : "the log does not add up";
  return verdict.first_bad_seq === null
    ? `Broken: ${words}`
    : `Broken at ${formatSeq(verdict.first_bad_seq)}: ${words}`;
}
