import type { Scope } from "@/lib/auth/scope";
import { runOutsideRequest } from "@/lib/http/request-context";
import { readHeadSeq } from "./tail";

const POLL_MS = 500;

interface Waiter {
  after: number;
  /** The head's number once it is beyond `after`; null when the wait was given up. */
  settle(head: number | null): void;
  fail(error: unknown): void;
}

/** Per organization, whoever waits for its next event. */
const watches = new Map<string, Set<Waiter>>();

/**
 * Waits until an organization's log has an event beyond `after`. All who wait for one organization share one
 * small query every half second; while nobody waits there is none.
 * @returns the number of the newest event; null after `timeoutMs`, or when `signal` aborts.
 * @throws AppError timeout or unavailable
 */
export function awaitHead(
  scope: Scope,
  after: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const waiters = watches.get(scope.organizationId) ?? watch(scope);
    const leave = () => {
      waiters.delete(waiter);
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    };
    const settle = (head: number | null) => {
      leave();
      resolve(head);
    };
    const giveUp = () => settle(null);
    const fail = (error: unknown) => {
      leave();
      reject(error);
    };
    const waiter: Waiter = { after, settle, fail };
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener("abort", giveUp, { once: true });
    waiters.add(waiter);
  });
}

function watch(scope: Scope): Set<Waiter> {
  const waiters = new Set<Waiter>();
  watches.set(scope.organizationId, waiters);
  // The request that came first may leave first; the others still wait.
  runOutsideRequest(() => setTimeout(() => void poll(scope, waiters)));
  return waiters;
}

async function poll(scope: Scope, waiters: Set<Waiter>): Promise<void> {
  while (waiters.size > 0) {
    try {
      const head = await readHeadSeq(scope);
      for (const waiter of [...waiters]) if (head > waiter.after) waiter.settle(head);
    } catch (error) {
      for (const waiter of [...waiters]) waiter.fail(error);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  watches.delete(scope.organizationId);
}
