import type { Outcome, StreamEvent } from "../destination";
import { TIMEOUT } from "./failures";
import type { TurnSettings } from "./turn";

export type Failure = Extract<Outcome, { kind: "retry" | "config_error" | "gone" }>;

const MAX_RETRY_AFTER_MS = 3_600_000;

/** What comes after a request that failed. */
export interface AfterFailure {
  state: "degraded" | "error" | "disabled";
  /** Pause before the next try. */
  delayMs: number;
  /** Exclusive end of what is tried then; null: the same range. */
  narrowedTo: number | null;
}

/**
 * @param failures one after another before this one
 * @param events of the request
 */
export function afterFailure(
  outcome: Failure,
  settings: Pick<TurnSettings, "backoffMs" | "maxBackoffMs" | "probeMs">,
  failures: number,
  events: readonly StreamEvent[],
): AfterFailure {
  if (outcome.kind !== "retry") {
    const state = outcome.kind === "gone" ? "disabled" : "error";
    return { state, delayMs: settings.probeMs, narrowedTo: null };
  }
  const askedMs = Math.min(MAX_RETRY_AFTER_MS, (outcome.retryAfterS ?? 0) * 1_000);
  const delayMs = Math.max(backoffMs(settings, failures), askedMs);
  // What was not answered in time may be more than the receiver can take in that time.
  const half =
    outcome.problem.code === TIMEOUT ? events[Math.floor(events.length / 2) - 1] : undefined;
  return { state: "degraded", delayMs, narrowedTo: half ? (half.seq as number) + 1 : null };
}

/** Full jitter. */
export function backoffMs(
  settings: Pick<TurnSettings, "backoffMs" | "maxBackoffMs">,
  failures: number,
): number {
  return Math.random() * Math.min(settings.maxBackoffMs, settings.backoffMs * 2 ** failures);
}
