import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { currentRequest } from "@/lib/http/request-context";
import { shutdownSignal } from "@/lib/http/shutdown";
import { log } from "@/lib/log";
import type { TailEnd } from "../tail";
import { readTail, type TailRequest } from "./tail";
import { awaitHead } from "./tail-heads";

const HEARTBEAT_MS = 15_000;
const PERMIT_MS = 30_000;
const MAX_OPEN_MS = 600_000;
/** After which a browser comes back to a connection that ended. */
const RETRY_MS = 2_000;

const MAX_TAILS = 300;
const MAX_TAILS_PER_ORGANIZATION = 100;
const open = new Map<string, number>();

export interface TailLimits {
  heartbeatMs: number;
  permitMs: number;
  maxOpenMs: number;
}

const LIMITS = { heartbeatMs: HEARTBEAT_MS, permitMs: PERMIT_MS, maxOpenMs: MAX_OPEN_MS };

/**
 * A live tail as server-sent events. Every message's id is the number up to which the log was read, so that
 * `Last-Event-ID` goes on exactly there:
 * - `events` TailRow[]; `skipped` { count }; `heartbeat` {}, with a comment before it; `end` { reason }.
 *
 * Read only as fast as the client takes it: whoever is slow finds more waiting, and at last is skipped ahead.
 * @param renew throws when the reader may no longer read; asked at least every minute.
 * @throws AppError unavailable when too many are open
 */
export function streamTail(
  scope: Scope,
  request: TailRequest,
  after: number,
  renew: (scope: Scope) => Promise<Scope>,
  limits: TailLimits = LIMITS,
): ReadableStream<Uint8Array> {
  const leave = enter(scope.organizationId);
  const gone = new AbortController();
  const { signal } = currentRequest() ?? {};
  const signals = [gone.signal, shutdownSignal, ...(signal ? [signal] : [])];
  const messages = tail(scope, request, after, renew, limits, AbortSignal.any(signals));
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await messages.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        leave();
        controller.close();
      },
      cancel() {
        gone.abort();
        leave();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Takes a place; the function gives it back, once. */
function enter(organizationId: string): () => void {
  const mine = open.get(organizationId) ?? 0;
  const all = [...open.values()].reduce((sum, count) => sum + count, 0);
  if (all >= MAX_TAILS || mine >= MAX_TAILS_PER_ORGANIZATION)
    throw new AppError("unavailable", "Too many live views are open. Try again in a moment.", {
      retryAfterS: 10,
    });
  open.set(organizationId, mine + 1);
  let isInside = true;
  return () => {
    if (!isInside) return;
    isInside = false;
    const left = (open.get(organizationId) ?? 1) - 1;
    if (left > 0) open.set(organizationId, left);
    else open.delete(organizationId);
  };
}

function message(seq: number, event: string, data: object): string {
  return `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

const heartbeat = (seq: number) => `: heartbeat\n${message(seq, "heartbeat", {})}`;
const end = (seq: number, reason: TailEnd) => message(seq, "end", { reason });

async function* tail(
  scope: Scope,
  request: TailRequest,
  after: number,
  renew: (scope: Scope) => Promise<Scope>,
  limits: TailLimits,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const startedMs = performance.now();
  let permittedMs = startedMs;
  let saidMs = startedMs;
  let seq = after;
  let head = after;
  let permitted = scope;
  // Something at once, so that the client knows that nothing on the way holds messages back.
  yield `retry: ${RETRY_MS}\n${heartbeat(seq)}`;
  try {
    for (;;) {
      const nowMs = performance.now();
      if (nowMs - startedMs >= limits.maxOpenMs) return yield end(seq, "limit");
      if (nowMs - permittedMs >= limits.permitMs) {
        permitted = await renew(permitted);
        permittedMs = nowMs;
      }
      if (nowMs - saidMs >= limits.heartbeatMs) {
        saidMs = nowMs;
        yield heartbeat(seq);
      }
      const waitMs = Math.min(saidMs + limits.heartbeatMs, startedMs + limits.maxOpenMs) - nowMs;
      if (seq >= head) head = (await awaitHead(permitted, seq, waitMs, signal)) ?? seq;
      if (signal.aborted) {
        if (shutdownSignal.aborted) yield end(seq, "stopping");
        return;
      }
      if (head === seq) continue;
      const step = await readTail(permitted, request, seq, head);
      seq = step.seq;
      if (step.skipped) yield message(seq, "skipped", step.skipped);
      if (step.rows.length > 0) yield message(seq, "events", step.rows);
      if (step.skipped || step.rows.length > 0) saidMs = performance.now();
    }
  } catch (error) {
    if (signal.aborted) return;
    const isOver = error instanceof AppError && !["timeout", "unavailable"].includes(error.code);
    if (isOver) yield end(seq, "session");
    else log().error({ err: error, organization_id: scope.organizationId }, "a live tail failed");
  }
}
