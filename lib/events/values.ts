import type { Counted } from "./facets";

/** What a field holds in an organization's log, for completing what is typed. */
export interface FieldValues {
  values: CompletedValue[];
  /** Every value that begins with what was typed is among them. */
  hasEveryStart: boolean;
  /** Where the others, and the counts, come from. */
  counted: Counted;
}

export interface CompletedValue {
  value: string;
  name: string | null;
  /** Among what was counted; null for a value that only the index knows. */
  count: number | null;
  matched: "start" | "inside" | "name";
}

/** What the search would match without one of its clauses (by index), or over all time. */
export interface Restored {
  without: number | "time";
  matches: number;
  counted: Counted;
}
