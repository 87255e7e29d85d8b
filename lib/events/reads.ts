import { z } from "zod";

/** Reads that are events of the log that was read, as long as its organization has them recorded. */
export const READ_ACTIONS = [
  "trailseal.events_searched",
  "trailseal.event_viewed",
  "trailseal.timeline_viewed",
] as const;

export type ReadAction = (typeof READ_ACTIONS)[number];

/** One read in so many is recorded; 0: none is. */
export const readSamplingSchema = z.union([
  z.literal(1),
  z.literal(10),
  z.literal(100),
  z.literal(0),
]);

export type ReadSampling = z.infer<typeof readSamplingSchema>;
