import { randomUUID } from "node:crypto";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { log } from "@/lib/log";
import { MAX_BATCH_EVENTS, type Outcome, type StreamEvent } from "../destination";
import { problem } from "../problems";
import type { LastError, Problem } from "../schema";
import { post } from "./egress";
import { classifyFailure, retryAfterS, sanitise } from "./failures";
import {
  claim,
  commitDelivered,
  countSetAsideInARow,
  fail,
  findDue,
  type Lease,
  plan,
  release,
  type StreamKey,
  setAside,
} from "./lease";
import { type LoadedStream, loadStream, readEvents, readHead } from "./read-batch";
import { openSecrets, SecretUnreadableError } from "./secrets";

export interface DeliverySettings {
  /** How often new events are looked for, milliseconds. */
  pollMs: number;
  /** A process that dies keeps its streams this long. */
  leaseMs: number;
  /** For one request; below the lease, so that its holder settles before another takes over. */
  deadlineMs: number;
  /** Longest turn of one stream before the others get theirs. */
  turnMs: number;
  /** First pause after a failure; doubled up to `maxBackoffMs`, full jitter. */
  backoffMs: number;
  maxBackoffMs: number;
  /** Pause after a failure that somebody has to cure. */
  probeMs: number;
  concurrency: number;
}

const defaults: DeliverySettings = {
  pollMs: 250,
  leaseMs: 12_000,
  deadlineMs: 10_000,
  turnMs: 5_000,
  backoffMs: 1_000,
  maxBackoffMs: 900_000,
  probeMs: 900_000,
  concurrency: 8,
};

const MAX_RETRY_AFTER_MS = 3_600_000;
const DISABLE_AFTER_MS = 7 * 86_400_000;
/** A receiver that refuses this many events one after another refuses everything. */
const MAX_SET_ASIDE_IN_A_ROW = 20;

const MISSING = problem(
  "events_missing",
  "Events that the log has counted are not in the database.",
  "Verify the chain: rows were removed. Delivery goes on when they are restored.",
);

interface Answer {
  outcome: Outcome;
  reply: string | null;
}

/** What ends a stream's turn: true goes on with the next batch. */
type Continues = boolean;

class Delivery {
  /** Most events of the next request: halved by refusals, doubled by successes. */
  private sizeLimit = MAX_BATCH_EVENTS;

  constructor(
    private readonly lease: Lease,
    private readonly settings: DeliverySettings,
  ) {}

  async turn(signal: AbortSignal): Promise<void> {
    const end = Date.now() + this.settings.turnMs;
    while (!signal.aborted && Date.now() < end) {
      if (!(await this.deliverBatch())) return;
    }
    await release(this.lease);
  }

  private async deliverBatch(): Promise<Continues> {
    const { lease } = this;
    const stream = await loadStream(lease);
    if (!stream) return this.stop();
    // The head first: whatever it counts was committed before the rows are read.
    if ((await readHead(lease.organizationId)) <= lease.cursorSeq) return this.stop();
    const limit = lease.inflightToSeq === null ? this.sizeLimit : MAX_BATCH_EVENTS;
    const events = await readEvents(lease, limit);
    if (events.length === 0) return this.failed("degraded", MISSING, null, this.settings.probeMs);
    try {
      return await this.sendPlanned(stream, events);
    } catch (error) {
      if (!(error instanceof SecretUnreadableError)) throw error;
      return this.failed("error", error.problem, null, this.settings.probeMs);
    }
  }

  private async sendPlanned(stream: LoadedStream, read: StreamEvent[]): Promise<Continues> {
    const { lease } = this;
    const { destination } = stream;
    const secrets = openSecrets(lease, stream.secrets, destination.secretNames);
    let events = read;
    let frame = destination.frame(this.batchOf(events), secrets);
    if (frame.count < events.length) {
      events = events.slice(0, frame.count);
      // The delivery id names the range, so it is framed again once the range is known.
      frame = destination.frame(this.batchOf(events), secrets);
    }
    if (!(await plan(lease, seqOf(events.at(-1)) + 1))) return this.stop();
    const url = new URL(frame.path, destination.url).toString();
    const answer = await this.send(url, frame, stream, events.length);
    return this.settle(events, answer);
  }

  private batchOf(events: StreamEvent[]) {
    const stream = this.lease.streamId.replace(/^als_/, "");
    const deliveryId = `msg_${stream}_${seqOf(events[0])}-${seqOf(events.at(-1))}`;
    return { events, deliveryId, sentAt: new Date() };
  }

  private async send(
    url: string,
    frame: { headers: Record<string, string>; body: string },
    stream: LoadedStream,
    count: number,
  ): Promise<Answer> {
    try {
      const { deadlineMs } = this.settings;
      const { status, headers, body } = await post(url, frame.headers, frame.body, { deadlineMs });
      const reply = { status, body, retryAfterS: retryAfterS(headers["retry-after"]) };
      return { outcome: stream.destination.classify(reply, count), reply: sanitise(body) };
    } catch (error) {
      return { outcome: classifyFailure(error), reply: null };
    }
  }

  private async settle(events: StreamEvent[], { outcome, reply }: Answer): Promise<Continues> {
    const { lease, settings } = this;
    switch (outcome.kind) {
      case "delivered":
        this.sizeLimit = Math.min(MAX_BATCH_EVENTS, this.sizeLimit * 2);
        return commitDelivered(lease, seqOf(events.at(-1)) + 1, events.length);
      case "retry": {
        const backoffMs = Math.min(settings.maxBackoffMs, settings.backoffMs * 2 ** lease.failures);
        const askedMs = Math.min(MAX_RETRY_AFTER_MS, (outcome.retryAfterS ?? 0) * 1_000);
        const delayMs = Math.max(Math.random() * backoffMs, askedMs);
        return this.failed("degraded", outcome.problem, reply, delayMs);
      }
      case "config_error":
        return this.failed("error", outcome.problem, reply, settings.probeMs);
      case "gone":
        return this.failed("disabled", outcome.problem, reply, settings.probeMs);
      case "partial":
        if (outcome.accepted > 0) return this.keepAccepted(events, outcome.accepted);
        return this.narrow(events, 1, outcome.problem, reply);
      case "split":
        return this.narrow(events, Math.floor(events.length / 2), outcome.problem, reply);
    }
  }

  /** The receiver has the first events; the one that it refused goes next, alone. */
  private keepAccepted(events: StreamEvent[], accepted: number): Promise<Continues> {
    this.sizeLimit = 1;
    const refused = seqOf(events[accepted]);
    return commitDelivered(this.lease, refused, accepted, refused + 1);
  }

  /** Plans the first `count` events of a refused request; a single refused event is set aside. */
  private async narrow(
    events: StreamEvent[],
    count: number,
    cause: Problem,
    reply: string | null,
  ): Promise<Continues> {
    if (events.length > 1) {
      this.sizeLimit = count;
      return plan(this.lease, seqOf(events[count - 1]) + 1);
    }
    const inARow = await countSetAsideInARow(this.lease, MAX_SET_ASIDE_IN_A_ROW);
    if (inARow >= MAX_SET_ASIDE_IN_A_ROW) {
      const everything = problem(
        "refuses_everything",
        `The receiver refused ${inARow} events one after another. ${cause.message}`,
        "Check what the receiver expects, then resume. The events it refused are listed below; the others wait.",
      );
      return this.failed("error", everything, reply, this.settings.probeMs);
    }
    return setAside(this.lease, seqOf(events[0]), lastError(cause, reply));
  }

  private async failed(
    state: "degraded" | "error" | "disabled",
    cause: Problem,
    reply: string | null,
    delayMs: number,
  ): Promise<false> {
    const since = this.lease.firstFailureAt;
    const isHopeless = since !== null && Date.now() - since.getTime() > DISABLE_AFTER_MS;
    await fail(this.lease, isHopeless ? "disabled" : state, lastError(cause, reply), delayMs);
    return false;
  }

  private async stop(): Promise<false> {
    await release(this.lease);
    return false;
  }
}

function seqOf(event: StreamEvent | undefined): number {
  if (typeof event?.seq !== "number") throw new Error("an event of the log has no sequence");
  return event.seq;
}

function lastError(cause: Problem, reply: string | null): LastError {
  return { ...cause, at: new Date().toISOString(), reply };
}

/** One turn of one stream, if it is free: batches in order until none is left or one fails. */
export async function deliverStream(
  key: StreamKey,
  owner: string,
  signal: AbortSignal,
  overrides: Partial<DeliverySettings> = {},
): Promise<void> {
  const settings = { ...defaults, ...overrides };
  const lease = await claim(key, owner, settings.leaseMs);
  if (lease) await new Delivery(lease, settings).turn(signal);
}

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
      const due = free > 0 ? await findDue(settings.concurrency * 2) : [];
      for (const key of due) {
        const name = `${key.organizationId} ${key.streamId}`;
        if (running.has(name) || running.size >= settings.concurrency) continue;
        const turn = deliverStream(key, owner, signal, settings)
          .catch((error: unknown) => {
            log().error({ err: error, stream_id: key.streamId }, "a delivery failed");
          })
          .finally(() => running.delete(name));
        running.set(name, turn);
      }
      await sleep(settings.pollMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await Promise.all(running.values());
  }
}
