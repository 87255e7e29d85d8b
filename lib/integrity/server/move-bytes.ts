let spare = Buffer.allocUnsafeSlow(1024);

/** Copies bytes one by one, which is faster than a call for so few. @returns where they end */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  to: number,
): number {
  let end = at;
  for (let next = from; next < to; next += 1) target[end++] = source[next] as number;
  return end;
}

/** Puts the last bytes, from `start` to `end`, before those at `place`. */
export function moveBack(bytes: Uint8Array, place: number, start: number, end: number): void {
  const length = end - start;
  if (spare.length < length) spare = Buffer.allocUnsafeSlow(length * 2);
  copyBytes(spare, 0, bytes, start, end);
  bytes.copyWithin(place + length, place, start);
  copyBytes(bytes, place, spare, 0, length);
}

/** At least as long, with the bytes before `end`. */
export function grown(bytes: Buffer, end: number, length: number): Buffer {
  if (bytes.length >= length) return bytes;
  const larger = Buffer.allocUnsafeSlow(length * 2);
  larger.set(bytes.subarray(0, end));
  return larger;
}
