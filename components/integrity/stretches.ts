import type { Verdict } from "@/lib/integrity/schema";

/** Cells of the strip, and the most checkpoints it marks. */
export const STRIP_CELLS = 160;

/** Best first: where several share a cell, it shows the last of them here. */
export const STRETCH_WORDS = {
  verified: "Verified",
  joined: "After the first break",
  uncovered: "Recorded since",
  failed: "Failed",
} as const;
export type StretchState = keyof typeof STRETCH_WORDS;

/** Events from `from` up to `to`, exclusive. */
export interface Range {
  from: number;
  to: number;
}

export interface Stretch extends Range {
  state: StretchState;
}

/** The log in stretches of one state each, in order and without gaps. */
export function stretchesOf(verdict: Verdict, nextSeq: number): Stretch[] {
  const { first_seq: first, first_bad_seq: firstBad } = verdict;
  const end = Math.max(nextSeq, (firstBad ?? -1) + 1, first + 1);
  const checkedTo = verdict.last_seq === null ? first : verdict.last_seq + 1;
  const bad = new Set(verdict.findings.flatMap(({ seq }) => seq ?? []));
  const stretches: Stretch[] = [];
  const add = (from: number, to: number, state: StretchState) => {
    if (from < to) stretches.push({ from, to, state });
  };
  let at = first;
  const goTo = (to: number) => {
    const seen = Math.min(Math.max(checkedTo, at), to);
    add(at, seen, firstBad !== null && at > firstBad ? "joined" : "verified");
    add(seen, to, "uncovered");
    at = to;
  };
  for (const seq of [...bad].sort((left, right) => left - right)) {
    if (seq < first || seq >= end) continue;
    goTo(seq);
    add(seq, seq + 1, "failed");
    at = seq + 1;
  }
  goTo(end);
  return stretches;
}

const RANK = Object.keys(STRETCH_WORDS);

/** The range in equal cells, each with the worst state in it. */
export function cellsOf(stretches: readonly Stretch[], { from, to }: Range): Stretch[] {
  const count = Math.min(STRIP_CELLS, to - from);
  const edge = (cell: number) => from + Math.floor(((to - from) * cell) / count);
  return Array.from({ length: count }, (_, cell) => {
    const range = { from: edge(cell), to: edge(cell + 1) };
    const states = stretches
      .filter((stretch) => stretch.from < range.to && stretch.to > range.from)
      .map(({ state }) => state);
    const worst = states.sort((left, right) => RANK.indexOf(right) - RANK.indexOf(left))[0];
    return { ...range, state: worst ?? "uncovered" };
  });
}

const ZOOM = 8;
const LEAST = 20;

/** A range around an event, eight times as fine (`by` 1) or as coarse (-1), within the whole. */
export function zoomed(range: Range, whole: Range, around: number, by: 1 | -1): Range {
  const span = range.to - range.from;
  const most = whole.to - whole.from;
  const next = Math.min(most, by > 0 ? Math.max(LEAST, Math.ceil(span / ZOOM)) : span * ZOOM);
  const from = Math.min(Math.max(whole.from, around - Math.floor(next / 2)), whole.to - next);
  return { from, to: from + next };
}
