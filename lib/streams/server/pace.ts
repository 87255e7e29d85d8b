import { MAX_BATCH_EVENTS } from "../destination";
import type { StreamKey } from "./lease";

/**
 * How many events a receiver takes in the time of one request, where that is fewer than a whole batch. Known to this
 * process, beyond the turns of a lane: each turn would time out anew, and have sent the same events twice.
 */
interface Pace {
  most: number;
  /** Requests of that size that were answered in time. */
  answered: number;
}

const paces = new Map<string, Pace>();
/** So many of a size are answered before twice as many events are tried. */
const TRUSTED_AFTER = 8;

const nameOf = ({ organizationId, streamId, lane }: StreamKey) =>
  `${organizationId} ${streamId} ${lane}`;

export const mostInTime = (lane: StreamKey): number =>
  paces.get(nameOf(lane))?.most ?? MAX_BATCH_EVENTS;

export function notInTime(lane: StreamKey, events: number): void {
  paces.set(nameOf(lane), { most: Math.max(1, Math.floor(events / 2)), answered: 0 });
}

export function inTime(lane: StreamKey, events: number): void {
  const pace = paces.get(nameOf(lane));
  if (!pace || events < pace.most) return;
  pace.answered += 1;
  if (pace.answered < TRUSTED_AFTER) return;
  if (pace.most * 2 >= MAX_BATCH_EVENTS) paces.delete(nameOf(lane));
  else paces.set(nameOf(lane), { most: pace.most * 2, answered: 0 });
}
