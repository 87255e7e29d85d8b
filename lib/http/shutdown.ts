// The server process and Next's bundles are separate copies of this module in one process.
const key = Symbol.for("trailseal.shutdown");
const registry = globalThis as unknown as Record<symbol, AbortController | undefined>;
registry[key] ??= new AbortController();
const stopping = registry[key];

/** Aborts when the server is about to stop: answers without an end of their own end then. */
export const shutdownSignal: AbortSignal = stopping.signal;

export function announceShutdown(): void {
  stopping.abort();
}
