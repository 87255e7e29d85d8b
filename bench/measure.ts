/** Times two ways of doing the same thing in turn, A B A B …, so that a drifting machine moves both. */

export interface Timings {
  p50: number;
  p95: number;
}

export interface Row {
  what: string;
  /** Milliseconds, or a rate; as printed. */
  ours: string;
  bare: string;
  ratio: number | null;
  /** Floor and goal of the ratio, and whether more is better. */
  target: { floor: number; goal: number; atLeast: boolean } | null;
  note: string;
}

export function quantiles(samples: number[]): Timings {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
  return { p50: at(0.5), p95: at(0.95) };
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/**
 * @param measured runs one side, and says how many milliseconds it took
 * @returns milliseconds of each side, after one run of each that is not counted.
 */
export async function inTurn(
  runs: number,
  ours: () => Promise<unknown>,
  bare: () => Promise<unknown>,
  measured: (work: () => Promise<unknown>) => Promise<number> = time,
): Promise<{ ours: number[]; bare: number[] }> {
  const samples = { ours: [] as number[], bare: [] as number[] };
  await measured(ours);
  await measured(bare);
  for (let run = 0; run < runs; run += 1) {
    // Which goes first alternates too: the second finds warmer caches.
    if (run % 2 === 0) {
      samples.ours.push(await measured(ours));
      samples.bare.push(await measured(bare));
    } else {
      samples.bare.push(await measured(bare));
      samples.ours.push(await measured(ours));
    }
  }
  return samples;
}

function verdict({ ratio, target }: Row): string {
  if (ratio === null || target === null) return "";
  const meets = (bound: number) => (target.atLeast ? ratio >= bound : ratio <= bound);
  return meets(target.goal) ? "goal" : meets(target.floor) ? "floor" : "MISS";
}

export function table(rows: Row[]): string {
  const lines = rows.map((row) => {
    const bound = row.target
      ? `${row.target.atLeast ? "≥" : "≤"} ${row.target.floor} (${row.target.goal})`
      : "";
    const ratio = row.ratio === null ? "" : row.ratio.toFixed(2);
    return `| ${row.what} | ${row.ours} | ${row.bare} | ${ratio} | ${bound} | ${verdict(row)} | ${row.note} |`;
  });
  const head =
    "| what | ours | bare | ratio | floor (goal) | met | note |\n|---|---|---|---|---|---|---|";
  return [head, ...lines].join("\n");
}
