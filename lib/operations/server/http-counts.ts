/** Requests that this process answered, for its metrics. */

/** Upper ends of the histogram's buckets, in seconds. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Histogram {
  /** By upper end in seconds, each counting all up to it. */
  buckets: [number, number][];
  sumS: number;
  count: number;
}

const byClass = new Map<string, number>();
const fallen = BUCKETS_S.map(() => 0);
let sumS = 0;
let count = 0;

/** @param status 0: the client left before the answer's end */
export function countRequest(status: number, durationMs: number): void {
  const name = status === 0 ? "aborted" : `${Math.floor(status / 100)}xx`;
  byClass.set(name, (byClass.get(name) ?? 0) + 1);
  const seconds = durationMs / 1_000;
  const at = BUCKETS_S.findIndex((end) => seconds <= end);
  if (at >= 0) fallen[at] = (fallen[at] ?? 0) + 1;
  sumS += seconds;
  count += 1;
}

export function readRequestCounts(): { byClass: ReadonlyMap<string, number>; duration: Histogram } {
  let below = 0;
  const buckets = BUCKETS_S.map((end, at): [number, number] => {
    below += fallen[at] ?? 0;
    return [end, below];
  });
  return { byClass, duration: { buckets, sumS, count } };
}
