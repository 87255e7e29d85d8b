/** Keys beyond which those that have all their tokens again are forgotten. */
const MANY = 10_000;
const FORGET_PAUSE_MS = 1_000;

/** Token buckets in memory, one per key: each process counts for itself. */
export class RateLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  #forgotAt = 0;

  /** @param perMinute how many requests fit in a minute, all at once or spread. */
  constructor(readonly perMinute: number) {}

  /**
   * Takes a token.
   * @returns 0, or without one the whole seconds after which there is one again.
   */
  take(key: string, now: number = performance.now()): number {
    const tokens = this.#tokens(key, now);
    const isAllowed = tokens >= 1;
    if (this.#buckets.size >= MANY && now - this.#forgotAt > FORGET_PAUSE_MS) this.#forget(now);
    this.#buckets.set(key, { tokens: isAllowed ? tokens - 1 : tokens, at: now });
    return isAllowed ? 0 : this.#waitS(tokens);
  }

  /** Undoes a `take` that found a token, for what turned out to count for nothing. */
  giveBack(key: string, now: number = performance.now()): void {
    const tokens = Math.min(this.perMinute, this.#tokens(key, now) + 1);
    this.#buckets.set(key, { tokens, at: now });
  }

  #tokens(key: string, now: number): number {
    const last = this.#buckets.get(key);
    if (!last) return this.perMinute;
    return Math.min(this.perMinute, last.tokens + ((now - last.at) * this.perMinute) / 60_000);
  }

  #waitS(tokens: number): number {
    return Math.ceil(((1 - tokens) * 60) / this.perMinute);
  }

  #forget(now: number): void {
    this.#forgotAt = now;
    for (const key of this.#buckets.keys())
      if (this.#tokens(key, now) >= this.perMinute) this.#buckets.delete(key);
  }
}

// Next may bundle this module more than once in one process.
const registry = globalThis as unknown as { trailsealRateLimiters?: Map<string, RateLimiter> };
registry.trailsealRateLimiters ??= new Map();
const limiters = registry.trailsealRateLimiters;

/** The one of the process for this purpose. */
export function rateLimiter(purpose: "requests" | "wrong keys", perMinute: number): RateLimiter {
  let limiter = limiters.get(purpose);
  if (limiter?.perMinute !== perMinute) {
    limiter = new RateLimiter(perMinute);
    limiters.set(purpose, limiter);
  }
  return limiter;
}
