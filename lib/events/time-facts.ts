const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** `3 hours ago`, `in 2 days`: the largest unit that fits, rounded down. */
export function relativeWords(atMs: number, nowMs: number): string {
  const distance = atMs - nowMs;
  const [unit, size] = UNITS.find(([, ms]) => Math.abs(distance) >= ms) ?? UNITS[3];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  return words.format(Math.trunc(distance / size), unit);
}

/** How far receipt lies behind (or, with clocks that disagree, ahead of) what it is about: `1.204 s later`. */
export function skewWords(occurredMs: number, receivedMs: number): string {
  const distance = receivedMs - occurredMs;
  if (distance === 0) return "at the same millisecond";
  const size = Math.abs(distance);
  const [unit, ms] = UNITS.find(([, each]) => size >= 2 * each) ?? UNITS[3];
  const amount =
    unit === "second"
      ? `${size / 1_000} s`
      : `${Math.floor(size / ms).toLocaleString("en-US")} ${unit}s`;
  return `${amount} ${distance > 0 ? "later" : "before it occurred"}`;
}
