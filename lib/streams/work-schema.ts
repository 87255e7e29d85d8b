import { z } from "zod";
import { storableText } from "@/lib/http/parse-input";

/** What people ask of a stream beside its settings: sending again, setting aside, another place in the log. */

const id = z.string().max(64);
const seq = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.iso.datetime({ offset: true });
const seqs = z.array(seq).min(1, "Choose at least one event.").max(1_000);

export const attemptPageSchema = z.strictObject({
  id,
  limit: z.number().int().min(1).max(200).default(50),
  /** Id of the oldest that is known: what came before it. */
  before: z.string().max(64).optional(),
});
export type AttemptPage = z.input<typeof attemptPageSchema>;

/** Each end by sequence number or by the time an event was received. */
const rangeFields = {
  fromSeq: seq.optional(),
  fromTime: time.optional(),
  /** Exclusive, as the time is; neither: the log's end as it is now. */
  toSeq: seq.optional(),
  toTime: time.optional(),
};

const hasOneStart = ({
  fromSeq,
  fromTime,
}: {
  fromSeq?: number | undefined;
  fromTime?: string | undefined;
}) => (fromSeq === undefined) !== (fromTime === undefined);
const ONE_START = { error: "Give a first event or a first time.", path: ["fromSeq"] };

const hasOneEnd = ({
  toSeq,
  toTime,
}: {
  toSeq?: number | undefined;
  toTime?: string | undefined;
}) => toSeq === undefined || toTime === undefined;
const ONE_END = { error: "Give a last event or a last time, not both.", path: ["toSeq"] };

export const rangeSchema = z
  .strictObject({ ...rangeFields, filter: z.string().max(4_000).default("") })
  .refine(hasOneStart, ONE_START)
  .refine(hasOneEnd, ONE_END);
export type RangeInput = z.input<typeof rangeSchema>;

export const backfillSchema = z
  .strictObject({
    ...rangeFields,
    id,
    /** Null: as fast as they are taken. */
    ratePerSecond: z.coerce.number().int().min(1).max(100_000).nullable().default(null),
  })
  .refine(hasOneStart, ONE_START)
  .refine(hasOneEnd, ONE_END);
export type BackfillInput = z.input<typeof backfillSchema>;

export interface RangeEstimate {
  fromSeq: number;
  /** Exclusive. */
  toSeq: number;
  /** Events in the range, whatever the filter says. */
  events: number;
  /** Those that the filter takes; about: from a sample; at_least: the sample saw too few to say more. */
  matching: { count: number; precision: "exact" | "about" | "at_least" };
}

export const laneIdSchema = z.strictObject({ id, lane: id });

/** Without `seqs`: all that wait. */
export const redriveSchema = z.strictObject({ id, seqs: seqs.optional() });
export const discardSchema = z.strictObject({ id, seqs: seqs.optional() });

export const moveCursorSchema = z.strictObject({
  id,
  /** The event that is sent next. */
  toSeq: seq,
  /** Recorded in the log. */
  reason: storableText(300).trim().min(1, "Say why: it is recorded in the log."),
});
export type MoveCursorInput = z.infer<typeof moveCursorSchema>;

export const rotateSecretSchema = z.strictObject({
  id,
  name: z.string().max(110),
  /** Absent or empty: one is made, where the destination allows that. */
  value: z.string().max(20_000).optional(),
});
export type RotateSecretInput = z.infer<typeof rotateSecretSchema>;

export const eventSeqSchema = z.strictObject({ seq });
