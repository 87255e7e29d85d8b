import { createHmac, timingSafeEqual } from "node:crypto";

/** Codes of authenticator apps: RFC 6238 with what apps take for granted, SHA-1, 30 seconds, 6 digits. */

const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps before and after the present one whose codes are right too: clocks differ, and typing takes time. */
const DRIFT = 1;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export const stepAt = (ms: number) => Math.floor(ms / STEP_MS);

export function codeOf(key: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", key).update(counter).digest();
  // RFC 4226 §5.3: the last four bits say which four bytes make the number.
  const offset = (digest.at(-1) as number) & 15;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/**
 * The step whose code this is, later than the one that was used last.
 * @returns null for a code that is wrong, too old, or used
 */
export function stepOf(key: Buffer, code: string, lastStep: number, nowMs: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const present = stepAt(nowMs);
  for (let step = Math.max(present - DRIFT, lastStep + 1); step <= present + DRIFT; step += 1) {
    if (timingSafeEqual(Buffer.from(codeOf(key, step)), Buffer.from(code))) return step;
  }
  return null;
}

/** RFC 4648 without padding: how apps take a key that is typed. */
export function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => BASE32[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}
