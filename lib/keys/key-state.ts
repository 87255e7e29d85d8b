/** ending: rotated, and still working until its end. */
export type KeyState = "active" | "ending" | "ended" | "revoked";

export function keyState(
  key: { revokedAt: string | null; expiresAt: string | null },
  now: number = Date.now(),
): KeyState {
  if (key.revokedAt) return "revoked";
  if (!key.expiresAt) return "active";
  return Date.parse(key.expiresAt) > now ? "ending" : "ended";
}
