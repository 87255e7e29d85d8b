import { AsyncLocalStorage } from "node:async_hooks";

export interface RequestContext {
  requestId: string;
  /** Client address after TRUSTED_PROXIES was applied. */
  clientAddress: string;
  userAgent: string | null;
  /** Aborts when the client goes away before the answer is complete. */
  signal: AbortSignal;
  /** The key that the request came with, once it is known. */
  apiKeyId?: string;
}

// The HTTP front and Next's bundles are separate copies of this module in one process.
const key = Symbol.for("trailseal.request-context");
const registry = globalThis as unknown as Record<
  symbol,
  AsyncLocalStorage<RequestContext> | undefined
>;
registry[key] ??= new AsyncLocalStorage<RequestContext>();
const storage = registry[key];

export function runWithRequestContext<T>(context: RequestContext, run: () => T): T {
  return storage.run(context, run);
}

/** Starts work that outlives the request that happens to start it. */
export function runOutsideRequest<T>(run: () => T): T {
  return storage.exit(run);
}

export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}
