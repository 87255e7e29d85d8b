import { codeOf, stepAt } from "./totp";

/** What an authenticator app does, for tests. */

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** What an app makes of the key that it was given. */
export function keyOf(secret: string): Buffer {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** The app's code, some steps of 30 seconds from now. */
export const appCode = (secret: string, drift = 0, nowMs = Date.now()) =>
  codeOf(keyOf(secret), stepAt(nowMs) + drift);
