import { z } from "zod";
import { storableText } from "@/lib/http/parse-input";
import { retentionChoiceSchema } from "@/lib/orgs/schema";

/** Retention: how long a log keeps events, and what it deleted. */

/** Words that go into the log, of whoever places or releases a hold. */
const reason = storableText(500)
  .trim()
  .refine((text) => text !== "", "must say why: it is kept in the log");

export const newHoldSchema = z.object({ reason });
export const releaseSchema = z.object({ id: z.string().max(64), reason });

export const undeliveredSchema = z.enum(["hold", "delete"]);

/** What a stream that has not delivered means for events that are due: they wait for it, or not. */
export type Undelivered = z.infer<typeof undeliveredSchema>;

export const policySchema = retentionChoiceSchema.extend({ undelivered: undeliveredSchema });

export interface RetentionPolicy {
  /** Days since the receipt; null: for ever. */
  days: number | null;
  /** Whose period that is: the organization's own, the instance's default, or nobody's. */
  source: "organization" | "instance" | "none";
  /** The instance's default; null: none. */
  defaultDays: number | null;
  /** Days between the end of the period and the deletion. */
  graceDays: number;
  /** When it was sealed in the log: nothing is deleted before the grace period after that. Null: it is not yet. */
  since: string | null;
  /** Number of the event that says it; null: none does. */
  sealedSeq: number | null;
  undelivered: Undelivered;
  /** Why nothing is deleted by it, in a sentence: the log does not say what the settings say. Null: it does. */
  contradiction: string | null;
}

/** While a legal hold is open, nothing of the organization's log is erased or pruned. */
export interface Hold {
  id: string;
  reason: string;
  createdBy: string;
  createdAt: string;
  releasedAt: string | null;
  /** Only the log says that it is open: it was released or removed in the database without an event. */
  isOnlySealed: boolean;
}

/** What removing a log's beginning means. */
export interface PrunePlan {
  /** Events below this number go. */
  size: number;
  /** How many there are. */
  events: number;
  /** Among them, events whose own time is not past: late ones, imports. */
  newer: number;
  /** Streams that have not delivered all of them, or set some aside. */
  behind: string[];
}

/** What the policy deletes of a log now. */
export interface RetentionPlan extends PrunePlan, RetentionPolicy {
  organizationId: string;
  /** Events received before this go, ISO 8601; null: everything is kept. */
  before: string | null;
  /** Receipt of the oldest and the newest of them; null without any. */
  oldest: string | null;
  newest: string | null;
  /** Events whose own time is past, but which were received later and stay: back-dated imports. */
  outliving: number;
  /** Open holds. */
  holds: Hold[];
  /** Events of an earlier deletion that was interrupted: they go with the next run. */
  unfinished: number;
  /** Why nothing is deleted, in sentences: the log contradicts the settings, or clocks disagree. Null: neither. */
  refusal: string | null;
  /**
   * due: a run deletes them; held, behind: a hold or a stream keeps them; refused: `refusal` says why; nothing: none is
   * that old; kept: no period.
   */
  state: "due" | "held" | "behind" | "refused" | "nothing" | "kept";
}

/** One deletion. */
export interface RetentionRun {
  /** The log began at `firstSeq`, and begins at `size` since. */
  firstSeq: number;
  size: number;
  before: string;
  startedBy: "worker" | "cli";
  /** Streams that were not waited for. */
  undelivered: string[];
  startedAt: string;
  /** Null: rows are left. */
  finishedAt: string | null;
  deleted: number;
  bytes: number;
}

/** What a period would delete. */
export interface RetentionPreview {
  /** Events received before it would go; null: none would. */
  before: string | null;
  events: number;
  all: number;
}

/** How retention stands for one log. */
export interface RetentionOverview {
  policy: RetentionPolicy;
  /** Events received before this are due, and how many there are; null: everything is kept. */
  before: string | null;
  events: number;
  /** Streams that have not delivered all of them. */
  behind: string[];
  state: RetentionPlan["state"];
  refusal: string | null;
  /** The next deletion when none is due: its day and how many of the events that are there. */
  next: { at: string; events: number } | null;
  /** Of a deletion that is under way, or was interrupted. */
  unfinished: number;
  holds: Hold[];
  /** The worker has a login to delete with. */
  isAutomatic: boolean;
}
