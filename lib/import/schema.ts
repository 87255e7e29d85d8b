import { z } from "zod";
import { delimiterNames } from "./delimiters";
import { mappingSchema } from "./mapping";
import { importFormats } from "./read-records";

/** Imports of the dashboard: a file that was uploaded, what it was taken for, and what became of it. */

const importStates = ["uploaded", "queued", "running", "done", "failed", "cancelled"] as const;
export type ImportState = (typeof importStates)[number];

/** What a file was taken for, as found or as corrected. */
export const sourceSchema = z.object({
  format: z.enum(importFormats),
  /** CSV alone. */
  delimiter: z.enum(delimiterNames).nullable(),
  /** An export of Trailseal: its columns need no mapping. */
  isOwn: z.boolean(),
  /** Line of its first cell with an apostrophe before a formula sign, as far as was looked. */
  guardLine: z.number().nullable(),
  /** Whether it was looked at to its end. */
  isWhole: z.boolean(),
  /** CSV: in order, each with a few of its values. */
  columns: z.array(z.object({ name: z.string(), samples: z.array(z.string()) })),
  /** CSV of another system: what its columns seem to be, and what has to be looked at. */
  proposal: z.object({ mapping: mappingSchema, notes: z.array(z.string()) }).nullable(),
  /** Why it cannot be imported as this. */
  problem: z.string().nullable(),
});
export type ImportSource = z.infer<typeof sourceSchema>;

export const recognitionSchema = z.object({
  format: z.enum(importFormats),
  /** null: the one that the first row has most of. */
  delimiter: z.enum(delimiterNames).nullable(),
});
export type Recognition = z.infer<typeof recognitionSchema>;

/** How its rows become events. */
export const setupSchema = z.object({
  /** CSV of another system alone. */
  mapping: mappingSchema.nullable(),
  /** Our own CSV alone: null refuses a file with apostrophes. */
  guard: z.enum(["strip", "keep"]).nullable(),
});
export type ImportSetup = z.infer<typeof setupSchema>;

export const outcomeSchema = z.object({
  read: z.number(),
  stored: z.number(),
  already_there: z.number(),
  repeats: z.number(),
  rejected: z.number(),
  rejects_left_out: z.number().optional(),
  ignored: z.array(z.string()).optional(),
  /** The first rejected records and the last, which may say that nothing after it was read. */
  examples: z.array(z.object({ number: z.number(), reasons: z.array(z.string()) })),
});
export type ImportOutcome = z.infer<typeof outcomeSchema>;

export const NOTHING: ImportOutcome = {
  read: 0,
  stored: 0,
  already_there: 0,
  repeats: 0,
  rejected: 0,
  examples: [],
};

export interface Import {
  id: string;
  state: ImportState;
  fileName: string;
  /** Of the file as it came. */
  bytes: number;
  /** Of the file as it came, hex. */
  sha256: string;
  source: ImportSource;
  readBytes: number;
  /** So far, while it goes on. */
  outcome: ImportOutcome;
  /** Somebody cancelled it, and its worker has not said yet how far it came. */
  isCancelling: boolean;
  hasRejects: boolean;
  /** Why it failed, or what went wrong last while it is tried again. */
  error: string | null;
  createdBy: string;
  createdAt: string;
  startedAt: string | null;
  updatedAt: string;
  /** When its files go; null: they are gone. */
  expiresAt: string | null;
}
