/** The most frequent values of one field among the events that the rest of the filter finds. */
export interface Facet {
  values: FacetValue[];
  /** Different values among what was counted; more than `values` holds when they are cut to the top. */
  distinct: number;
  counted: Counted;
}

export interface FacetValue {
  value: string;
  /** What people call it, where the event says so. */
  name: string | null;
  count: number;
}

/** What the counts are about. */
export type Counted =
  /** Every match. */
  | { kind: "all" }
  /** The newest so many matches: there are more. */
  | { kind: "newest"; matches: number; backTo: string }
  /** Every match back to a time: what is older was not searched. */
  | { kind: "searched"; matches: number; backTo: string };

/** A metadata key, and how many of the newest matches have it. */
export interface MetadataKeys {
  /** The most frequent. */
  keys: { key: string; count: number }[];
  /** Different keys among what was counted. */
  distinct: number;
  counted: Counted;
}

export const FACET_VALUES = 10;
/** The newest so many matches are counted, no more: what is asked for at every step keeps below 50 ms. */
export const FACET_SAMPLE = 4_000;
/** For a count that reached it. */
export const SAMPLE_WORDS = `${FACET_SAMPLE / 1_000}k+`;
