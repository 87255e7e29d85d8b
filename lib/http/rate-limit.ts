/** Token buckets in memory, one per key: each process counts for itself. */
export class RateLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param perMinute how many requests fit in a minute, all at once or spread. */
  constructor(readonly perMinute: number) {}

  /**
   * Takes a token.
   * @returns 0, or without one the whole seconds after which there is one again.
   */
  take(key: string, now: number = performance.now()): number {
    const perMs = this.perMinute / 60_000;
    const last = this.#buckets.get(key) ?? { tokens: this.perMinute, at: now };
    const tokens = Math.min(this.perMinute, last.tokens + (now - last.at) * perMs);
    const isAllowed = tokens >= 1;
    this.#buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: now });
    return isAllowed ? 0 : Math.ceil((1 - tokens) / perMs / 1_000);
  }
}

// Next may bundle this module more than once in one process.
const registry = globalThis as unknown as { trailsealRateLimiter?: RateLimiter };

export function rateLimiter(perMinute: number): RateLimiter {
  if (registry.trailsealRateLimiter?.perMinute !== perMinute)
    registry.trailsealRateLimiter = new RateLimiter(perMinute);
  return registry.trailsealRateLimiter;
}
