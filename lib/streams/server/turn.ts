import { setImmediate as nextRound, setTimeout as sleep } from "node:timers/promises";
import { log } from "@/lib/log";
import { MAX_BATCH_EVENTS, type StreamEvent } from "../destination";
import { CHECKPOINT_REFUSED, problem } from "../problems";
import type { Problem } from "../schema";
import { afterFailure, backoffMs, type Failure } from "./after-failure";
import { trimAttempts } from "./attempts";
import { dueCheckpoint } from "./checkpoint-item";
import { INTERNAL, MISSING } from "./failures";
import {
  type Attempt,
  countSetAsideInARow,
  extend,
  fail,
  type Lease,
  type Letter,
  plan,
  release,
  type Settlement,
  settle,
  settleCheckpoint,
  skipPruned,
} from "./lease";
import { type LoadedStream, loadStream, Unusable } from "./load-stream";
import { inTime, mostInTime, notInTime } from "./pace";
import { type Answer, lastError, type Parcel, pack, send, seqOf, seqsOf } from "./parcel";
import { EventsMissing, type Piece, Source } from "./read-batch";

export interface TurnSettings {
  /** For one send, unless the destination needs longer; the lease outlasts it, so that its holder settles before another takes over. */
  deadlineMs: number | null;
  /** Longest turn of one stream before the others get theirs. */
  turnMs: number;
  /** First pause after a failure; doubled up to `maxBackoffMs`, full jitter. */
  backoffMs: number;
  maxBackoffMs: number;
  /** Pause after a failure that somebody has to cure. */
  probeMs: number;
}

const LEASE_MARGIN_MS = 500;
const DISABLE_AFTER_MS = 7 * 86_400_000;
/** A receiver that refuses this many events one after another refuses everything. */
const MAX_SET_ASIDE_IN_A_ROW = 20;
/** A slow lane waits this long with its lease in hand; longer pauses free it. */
const LONGEST_WAIT_MS = 1_000;
/** A turn that made so many requests clears the oldest records of its stream. */
const BUSY_REQUESTS = 20;

/** One holder's deliveries of one lane: while one request is under way, the next is read and framed. */
export class Turn {
  /** Most events of the next request: halved by refusals, doubled by successes. */
  private sizeLimit: number;
  private stream!: LoadedStream;
  private source!: Source;
  private requests = 0;
  private isGivenBack = false;
  private readonly endMs: number;

  constructor(
    private readonly lease: Lease,
    private readonly settings: TurnSettings,
    private readonly signal: AbortSignal,
  ) {
    this.endMs = Date.now() + settings.turnMs;
    this.sizeLimit = this.mostEvents;
  }

  async run(): Promise<void> {
    try {
      if (await this.open()) await this.deliver();
    } catch (error) {
      if (error instanceof Unusable) await this.failed("error", error.problem, this.probeMs);
      else if (error instanceof EventsMissing) await this.failed("degraded", MISSING, this.probeMs);
      else {
        log().error({ err: error, stream_id: this.lease.streamId }, "a delivery failed");
        await this.failed("degraded", INTERNAL, backoffMs(this.settings, this.lease.failures));
      }
    }
    if (!this.isGivenBack) await release(this.lease);
    if (this.requests >= BUSY_REQUESTS) await trimAttempts(this.lease);
  }

  private get probeMs(): number {
    return this.settings.probeMs;
  }

  /** A lane with a rate sends at most what a second allows. */
  private get mostEvents(): number {
    return Math.min(mostInTime(this.lease), this.lease.ratePerSecond ?? MAX_BATCH_EVENTS);
  }

  private get isOver(): boolean {
    return this.signal.aborted || Date.now() >= this.endMs || this.lease.isStopped;
  }

  /** Reads the configuration, and begins to read at the cursor. @throws Unusable */
  private async open(): Promise<boolean> {
    const stream = await loadStream(this.lease);
    if (!stream) return false;
    this.stream = stream;
    this.readFromCursor();
    return true;
  }

  private readFromCursor(): void {
    this.source = new Source(this.lease, this.lease.kind === "redrive" ? null : this.stream.filter);
  }

  private async deliver(): Promise<void> {
    if (!(await this.passPruned()) || !(await this.sayCheckpoint())) return;
    let parcel = await this.nextPlanned();
    while (parcel) {
      const startedMs = Date.now();
      // While a receiver works there is nothing else to do; what is settled is waited for.
      const [answer, next] = await Promise.all([this.send(parcel), this.readAhead(parcel)]);
      const following = await this.settle(parcel, answer, next);
      if (following === next && next !== null) parcel = next;
      else {
        if (this.isGivenBack) return;
        await this.keepRate(parcel, startedMs);
        parcel = following === null ? null : await this.nextPlanned();
      }
    }
  }

  /** Retention may have come before a job; before a live cursor it does not. */
  private async passPruned(): Promise<boolean> {
    const { lease } = this;
    // After a restore a job may have nothing left.
    if (lease.cursorSeq >= (lease.toSeq ?? Number.POSITIVE_INFINITY)) {
      await settle(lease, { toSeq: lease.cursorSeq, attempt: null });
      return false;
    }
    // Each event that is sent again is looked for, and what is gone is said of each.
    if (lease.cursorSeq >= lease.firstSeq || lease.kind === "redrive") return true;
    const to = Math.min(lease.firstSeq, lease.toSeq ?? lease.firstSeq);
    const cause = problem(
      "pruned",
      `Events #${lease.cursorSeq} to #${to - 1} were deleted by retention before they were sent.`,
      "Nothing can bring them to the receiver now. Archives and bundles may hold them.",
    );
    if (!(await skipPruned(lease, to, lastError(cause, null)))) return false;
    this.readFromCursor();
    return !lease.isStopped;
  }

  /** @returns false when the receiver did not answer as it should: the turn is over */
  private async sayCheckpoint(): Promise<boolean> {
    const { lease } = this;
    const due = await dueCheckpoint(lease, this.stream.heartbeatMinutes);
    if (!due) return true;
    if (this.leaseMs > lease.durationMs && !(await extend(lease, this.leaseMs))) return false;
    const piece = { events: [due.item], fromSeq: lease.cursorSeq, toSeq: lease.cursorSeq };
    const { outcome, attempt } = await this.send(this.packed(piece, due.name));
    switch (outcome.kind) {
      case "retry":
      case "config_error":
      case "gone":
        return this.failedAs({ ...outcome, problem: ofCheckpoint(outcome.problem) }, attempt);
      case "delivered":
        return settleCheckpoint(lease, due.size, attempt, null);
      case "split":
      case "partial":
      case "rejected": {
        // Events are worth more than what is said about them: it is not sent again, and that is told.
        const cause = "problem" in outcome ? outcome.problem : outcome.rejected[0]?.problem;
        const refused = problem(
          CHECKPOINT_REFUSED,
          `The receiver refused a checkpoint. ${cause?.message ?? ""}`.trim(),
          "Events are delivered all the same. Let the receiver take events with the action trailseal.checkpoint.",
        );
        return settleCheckpoint(lease, due.size, attempt, lastError(refused, attempt.reply));
      }
    }
  }

  /** The range that is to be sent now, planned; null: there is none, or the lane is another's. */
  private async nextPlanned(): Promise<Parcel | null> {
    while (!this.isOver) {
      const { lease } = this;
      if (lease.version !== this.stream.version && !(await this.open())) return null;
      const planned = lease.inflightToSeq;
      const parcel = await this.prepare(planned);
      if (!parcel) return null;
      if (planned !== null) this.sizeLimit = Math.max(1, parcel.events.length);
      if (parcel.events.length > 0)
        return (await plan(lease, parcel.toSeq, this.leaseMs)) ? parcel : null;
      const passedOver = this.passedOver(parcel);
      if (!(await settle(lease, { toSeq: parcel.toSeq, passedOver, attempt: null }))) return null;
      this.source.pass(parcel);
    }
    return null;
  }

  private passedOver({ events, fromSeq, toSeq }: Piece): number {
    return this.lease.kind === "redrive" ? 0 : toSeq - fromSeq - events.length;
  }

  private get leaseMs(): number {
    // Longer sends hold the stream longer.
    return Math.max(this.lease.durationMs, this.deadlineMs + LEASE_MARGIN_MS);
  }

  private get deadlineMs(): number {
    return this.settings.deadlineMs ?? this.stream.destination.deadlineMs;
  }

  private async prepare(plannedTo: number | null): Promise<Parcel | null> {
    const { lease } = this;
    const end = Math.min(plannedTo ?? lease.nextSeq, lease.nextSeq, lease.toSeq ?? lease.nextSeq);
    const limit = Math.min(this.sizeLimit, this.mostEvents);
    const piece = await this.source.next(limit, end, plannedTo !== null);
    return piece && (piece.events.length > 0 ? this.packed(piece) : { ...piece, ...NOTHING });
  }

  /** What follows a range that is being sent; null also where that cannot be told yet. */
  private async readAhead(parcel: Parcel): Promise<Parcel | null> {
    if (this.lease.ratePerSecond !== null) return null;
    this.source.pass(parcel);
    // undici writes to a connection that it has kept when the event loop comes around: framing would hold that up.
    await nextRound();
    return this.prepare(null).catch(() => null);
  }

  private packed(piece: Piece, name?: string): Parcel {
    return pack(piece, this.source, this.stream, this.lease, name);
  }

  private send(parcel: Parcel): Promise<Answer> {
    this.requests += 1;
    return send(parcel, this.stream, this.lease, this.deadlineMs);
  }

  /** @returns what is sent next, planned already; "go on": that has to be found; null: the turn is over */
  private async settle(
    parcel: Parcel,
    { outcome, attempt }: Answer,
    next: Parcel | null,
  ): Promise<Parcel | "go on" | null> {
    const { events } = parcel;
    switch (outcome.kind) {
      case "delivered":
        inTime(this.lease, events.length);
        this.sizeLimit = Math.min(this.mostEvents, this.sizeLimit * 2);
        return this.passOn(parcel, next, {
          attempt,
          delivered: seqsOf(events),
          error: outcome.warning ? lastError(outcome.warning, attempt.reply) : null,
        });
      case "rejected": {
        const letters = outcome.rejected.map(({ index, problem: cause }) => ({
          seq: seqOf(events[index] as StreamEvent),
          error: lastError(cause, null),
        }));
        if (letters.length === events.length) return this.setAside(parcel, next, letters, attempt);
        const refused = new Set(letters.map(({ seq }) => seq));
        const delivered = seqsOf(events).filter((seq) => !refused.has(seq));
        return this.passOn(parcel, next, { attempt, delivered, letters });
      }
      case "partial":
        if (outcome.accepted > 0) return this.keepAccepted(events, outcome.accepted, attempt);
        return this.narrow(parcel, next, 1, outcome.problem, attempt);
      case "split":
        return this.narrow(parcel, next, Math.floor(events.length / 2), outcome.problem, attempt);
      default:
        await this.failedAs(outcome, attempt, events);
        return null;
    }
  }

  /** The whole range is behind; the next one, if it is known, is planned with that. */
  private async passOn(
    parcel: Parcel,
    next: Parcel | null,
    result: Pick<Settlement, "attempt" | "delivered" | "letters" | "error">,
  ): Promise<Parcel | "go on" | null> {
    const { lease } = this;
    const isEmpty = next !== null && next.events.length === 0;
    const following = next && !isEmpty && !this.isOver ? next : null;
    const isPassed = await settle(lease, {
      ...result,
      // What the filter passes over after it needs no word of its own.
      toSeq: isEmpty ? next.toSeq : parcel.toSeq,
      passedOver: this.passedOver(parcel) + (isEmpty ? this.passedOver(next) : 0),
      nextToSeq: following?.toSeq ?? null,
      error: result.error ?? result.letters?.at(-1)?.error ?? null,
      leaseMs: this.leaseMs,
    });
    if (!isPassed || this.isOver) return null;
    if (next === null && lease.ratePerSecond !== null) this.source.pass(parcel);
    if (isEmpty) this.source.pass(next);
    if (lease.version !== this.stream.version) return "go on";
    return following ?? "go on";
  }

  /** The receiver has the first events; the one that it refused goes next, alone. */
  private async keepAccepted(
    events: StreamEvent[],
    accepted: number,
    attempt: Attempt,
  ): Promise<"go on" | null> {
    const { lease } = this;
    this.sizeLimit = 1;
    const refused = seqOf(events[accepted] as StreamEvent);
    const delivered = seqsOf(events.slice(0, accepted));
    const passedOver = lease.kind === "redrive" ? 0 : refused - lease.cursorSeq - accepted;
    const range = { toSeq: refused, nextToSeq: refused + 1, passedOver };
    const isKept = await settle(lease, { ...range, delivered, attempt, leaseMs: this.leaseMs });
    return isKept ? this.again() : null;
  }

  /** Plans the first `count` events of a refused request; a single refused event is set aside. */
  private async narrow(
    parcel: Parcel,
    next: Parcel | null,
    count: number,
    cause: Problem,
    attempt: Attempt,
  ): Promise<Parcel | "go on" | null> {
    const { events } = parcel;
    if (events.length === 1) {
      const letter = {
        seq: seqOf(events[0] as StreamEvent),
        error: lastError(cause, attempt.reply),
      };
      return this.setAside(parcel, next, [letter], attempt);
    }
    this.sizeLimit = count;
    const toSeq = seqOf(events[count - 1] as StreamEvent) + 1;
    const isPlanned = await plan(this.lease, toSeq, this.lease.durationMs, attempt);
    return isPlanned ? this.again() : null;
  }

  /** Sets aside all that a request held, unless the receiver refuses whatever it is sent. */
  private async setAside(
    parcel: Parcel,
    next: Parcel | null,
    letters: Letter[],
    attempt: Attempt,
  ): Promise<Parcel | "go on" | null> {
    const before = await countSetAsideInARow(this.lease, MAX_SET_ASIDE_IN_A_ROW);
    const inARow = before + letters.length;
    if (inARow > MAX_SET_ASIDE_IN_A_ROW) {
      const everything = problem(
        "refuses_everything",
        `The receiver refused ${inARow} events one after another. ${attempt.message ?? ""}`.trim(),
        "Check what the receiver expects, then resume. The events it refused are listed below; the others wait.",
      );
      await this.failed("error", everything, this.probeMs, attempt);
      return null;
    }
    return this.passOn(parcel, next, { attempt, letters });
  }

  /** What was read ahead is read again: the next range begins elsewhere. */
  private again(): "go on" | null {
    this.readFromCursor();
    return this.isOver ? null : "go on";
  }

  private async keepRate({ events }: Parcel, startedMs: number): Promise<void> {
    const { lease } = this;
    if (lease.ratePerSecond === null || lease.isStopped) return;
    const waitMs = (events.length / lease.ratePerSecond) * 1_000 - (Date.now() - startedMs);
    if (waitMs > 0) await sleep(Math.min(waitMs, LONGEST_WAIT_MS));
  }

  /** @returns false: the turn is over */
  private failedAs(outcome: Failure, attempt: Attempt, events: StreamEvent[] = []): Promise<false> {
    const { lease, settings } = this;
    const after = afterFailure(outcome, settings, lease.failures, events);
    if (after.narrowedTo !== null) notInTime(lease, events.length);
    return this.failed(after.state, outcome.problem, after.delayMs, attempt, after.narrowedTo);
  }

  private async failed(
    state: "degraded" | "error" | "disabled",
    cause: Problem,
    delayMs: number,
    attempt: Attempt | null = null,
    narrowedTo: number | null = null,
  ): Promise<false> {
    const since = this.lease.firstFailureAt;
    const isHopeless = since !== null && Date.now() - since.getTime() > DISABLE_AFTER_MS;
    const error = lastError(cause, attempt?.reply ?? null);
    const next = isHopeless ? "disabled" : state;
    await fail(this.lease, next, error, delayMs, attempt, narrowedTo);
    this.isGivenBack = true;
    return false;
  }
}

const ofCheckpoint = (cause: Problem): Problem => ({
  ...cause,
  message: `It was sent a checkpoint. ${cause.message}`,
});

const NOTHING = { frame: null, refusal: null };
