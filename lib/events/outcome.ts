import type { EventFilter } from "./filter/ast";
import { parseFilter } from "./filter/parse";

export interface FailureRule {
  label: string;
  /** The events it finds, in the filter language. */
  q: string;
  filter: EventFilter;
}

function rule(label: string, q: string): FailureRule {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(`No filter: ${q}`);
  return { label, q, filter: parsed.filter };
}

/**
 * What counts as denied or failed: an event that any of these finds. CloudTrail tells failures by
 * `errorCode`; a failed sign-in to its console has an `errorMessage` alone.
 */
export const failureRules: readonly FailureRule[] = [
  rule("Named denied or failed", "action:(*.denied OR *.failed OR *_denied OR *_failed)"),
  rule("With an error code", "has:metadata.errorCode"),
  rule("With an error message only", "has:metadata.errorMessage -has:metadata.errorCode"),
];
