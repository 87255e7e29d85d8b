import type { DamageKind } from "./schema";

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
