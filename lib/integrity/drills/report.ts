import { z } from "zod";
import { damageKindSchema } from "../schema";

const kind = damageKindSchema.nullable();

/** One known damage, and what verifications said of it. */
const drillResultSchema = z.object({
  id: z.string(),
  does: z.string(),
  expected: kind,
  expected_seq: z.number().int().nullable(),
  /** By the pinned key and the database alone. */
  found: kind,
  found_seq: z.number().int().nullable(),
  expected_elsewhere: kind,
  /** With checkpoints and receipts kept elsewhere, and the signer's memory. */
  found_elsewhere: kind,
  ok: z.boolean(),
  duration_ms: z.number(),
});
export type DrillResult = z.infer<typeof drillResultSchema>;

/** What `trailseal drill --json` prints. */
export const drillOutputSchema = z.object({
  events: z.number().int(),
  results: z.array(drillResultSchema),
});

/** The last drill of this instance. */
export const drillReportSchema = z.object({
  started_at: z.iso.datetime(),
  duration_ms: z.number(),
  events: z.number().int().nullable(),
  results: z.array(drillResultSchema),
  /** Why it did not end. */
  error: z.string().nullable(),
});
export type DrillReport = z.infer<typeof drillReportSchema>;

export const isDrillRight = ({ error, results }: DrillReport): boolean =>
  error === null && results.length > 0 && results.every(({ ok }) => ok);
