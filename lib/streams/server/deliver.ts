import { randomUUID } from "node:crypto";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { log } from "@/lib/log";
import { traced } from "@/lib/tracing";
import { claim, findDue, type StreamKey } from "./lease";
import { Turn, type TurnSettings } from "./turn";

export interface DeliverySettings extends TurnSettings {
  /** How often new events are looked for, milliseconds. */
  pollMs: number;
  /** A process that dies keeps its streams this long. */
  leaseMs: number;
  concurrency: number;
}

const defaults: DeliverySettings = {
  pollMs: 250,
  leaseMs: 12_000,
  deadlineMs: null,
  turnMs: 5_000,
  backoffMs: 1_000,
  maxBackoffMs: 900_000,
  probeMs: 900_000,
  concurrency: 8,
};

/** However many streams there are, looking for work takes a fifth of the time at most, and nobody waits for long. */
const LOOK_PAUSE = 4;
const LONGEST_PAUSE_MS = 1_000;

/** One turn of one lane, if it is free: batches in order until none is left or one fails. */
async function deliverStream(
  key: StreamKey,
  owner: string,
  signal: AbortSignal,
  overrides: Partial<DeliverySettings> = {},
): Promise<void> {
  const settings = { ...defaults, ...overrides };
  const lease = await claim(key, owner, settings.leaseMs);
  if (lease) await new Turn(lease, settings, signal).run();
}

const spanOf = ({ streamId, organizationId }: StreamKey) => ({
  "trailseal.stream_id": streamId,
  "trailseal.organization_id": organizationId,
});

/**
 * Delivers every stream's events in order, at least once, until `signal` aborts; sends that are under
 * way then are finished. Several processes may run it: leases divide the streams among them.
 */
export async function deliverDue(
  signal: AbortSignal,
  overrides: Partial<DeliverySettings> = {},
): Promise<void> {
  const settings = { ...defaults, ...overrides };
  const owner = `${os.hostname()}:${process.pid}:${randomUUID()}`;
  const running = new Map<string, Promise<void>>();
  try {
    while (!signal.aborted) {
      const free = settings.concurrency - running.size;
      const started = performance.now();
      const due = free > 0 ? await findDue(settings.concurrency * 2) : [];
      const lookMs = performance.now() - started;
      for (const key of due) {
        const name = `${key.organizationId} ${key.streamId} ${key.lane}`;
        if (running.has(name) || running.size >= settings.concurrency) continue;
        const turn = traced("stream", spanOf(key), () =>
          deliverStream(key, owner, signal, settings),
        )
          .catch((error: unknown) => {
            log().error({ err: error, stream_id: key.streamId }, "a delivery failed");
          })
          .finally(() => running.delete(name));
        running.set(name, turn);
      }
      const pauseMs = Math.max(settings.pollMs, Math.min(LONGEST_PAUSE_MS, lookMs * LOOK_PAUSE));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await Promise.all(running.values());
  }
}
