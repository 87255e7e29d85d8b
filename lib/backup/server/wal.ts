/** A position in the WAL, `16/B374D848`, as a number of bytes. */
function position(lsn: string): bigint {
  const [high, low] = lsn.split("/") as [string, string];
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

const hex8 = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");

/**
 * Names of the WAL files with everything from `start` to before `stop`.
 * @param segmentBytes size of each
 * @param timeline 8 hex digits
 */
export function walSegments(
  start: string,
  stop: string,
  segmentBytes: number,
  timeline: string,
): string[] {
  const size = BigInt(segmentBytes);
  const perHigh = 0x1_0000_0000n / size;
  const [first, last] = [position(start) / size, (position(stop) - 1n) / size];
  return Array.from({ length: Number(last - first) + 1 }, (_, at) => {
    const number = first + BigInt(at);
    return `${timeline}${hex8(number / perHigh)}${hex8(number % perHigh)}`;
  });
}
