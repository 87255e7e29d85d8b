/** How fast an export goes, from what was seen of it in the last seconds. */

const WINDOW_MS = 15_000;

interface Sample {
  atMs: number;
  events: number;
}

export interface Pace {
  samples: readonly Sample[];
  /** null until two looks tell something. */
  eventsPerS: number | null;
}

/** After another look at it; one that began anew is looked at anew. */
export function nextPace(before: Pace | undefined, sample: Sample): Pace {
  const known = before?.samples.filter(({ atMs }) => sample.atMs - atMs <= WINDOW_MS) ?? [];
  const samples = known.some(({ events }) => events > sample.events)
    ? [sample]
    : [...known, sample];
  const first = samples[0] as Sample;
  const spanMs = sample.atMs - first.atMs;
  const eventsPerS = spanMs > 0 ? ((sample.events - first.events) * 1_000) / spanMs : null;
  return { samples, eventsPerS };
}
