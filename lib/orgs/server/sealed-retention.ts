import type pg from "pg";
import { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { type Undelivered, undeliveredSchema } from "@/lib/retention/schema";

/**
 * What a log itself says about how long it is kept. Rows of settings can be changed by whoever gets hold of the app's
 * login, sealed events cannot: so the newest `trailseal.retention_changed` has to say what the settings say. When
 * deletion takes that event away, the announcement of the deletion repeats it.
 */
export interface SealedRetention {
  /** Of the event that says it. */
  id: string;
  seq: number;
  /** Null: the instance's default, of which `defaultDays` says what it was; null: none was said. */
  days: number | null;
  defaultDays: number | null;
  undelivered: Undelivered;
  /** When a checkpoint first covered it, by the database's clock; null: none does yet. */
  since: Date | null;
}

/** "default" and "none" stand for null, so that the metadata of events is text. */
const daysOr = (word: string) =>
  z.union([z.literal(word).transform(() => null), z.coerce.number().int().positive()]);

const changedSchema = z
  .object({
    days: daysOr("default"),
    default_days: daysOr("none").default(null),
    undelivered: undeliveredSchema.default("hold"),
  })
  .transform((said) => ({ ...said, since: null }));

const repeatedSchema = z
  .object({
    retention_days: daysOr("default"),
    retention_default_days: daysOr("none"),
    retention_undelivered: undeliveredSchema,
    retention_since: z.iso.datetime().transform((text) => new Date(text)),
  })
  .transform((said) => ({
    days: said.retention_days,
    default_days: said.retention_default_days,
    undelivered: said.retention_undelivered,
    since: said.retention_since,
  }));

/** Metadata of a change. */
export const changeWords = (days: number | null, defaultDays: number | null) => ({
  days: days === null ? "default" : String(days),
  ...(days === null ? { default_days: String(defaultDays ?? "none") } : {}),
});

/** Metadata by which the announcement of a deletion repeats the policy; none without a policy that is sealed. */
export const repeatedWords = (sealed: SealedRetention | null): Record<string, string> =>
  sealed?.since
    ? {
        retention_days: String(sealed.days ?? "default"),
        retention_default_days: String(sealed.defaultDays ?? "none"),
        retention_undelivered: sealed.undelivered,
        retention_since: sealed.since.toISOString(),
      }
    : {};

interface Row {
  id: string;
  seq: number;
  action: string;
  metadata: unknown;
  sealed_at: Date | null;
}

/**
 * The newest change of retention that the log still has, else what its last deletion repeats of one: look-ups by index.
 * @returns null: the log says nothing
 */
export async function readSealedRetention(
  { organizationId }: Scope,
  db: pg.Pool | pg.PoolClient = readPool(),
): Promise<SealedRetention | null> {
  // Materialized, so that the newest change is not looked for along the whole log.
  const { rows } = await db.query<Row>(
    `WITH changes AS MATERIALIZED (
       SELECT seq FROM events WHERE organization_id = $1 AND action = 'trailseal.retention_changed'),
     head AS (SELECT first_seq, origin FROM log_heads WHERE organization_id = $1)
     SELECT e.id, e.seq, e.action, e.metadata,
       (SELECT c.created_at FROM checkpoints c WHERE c.organization_id = $1 AND c.origin = (SELECT origin FROM head)
          AND c.tree_size > e.seq ORDER BY c.tree_size LIMIT 1) AS sealed_at
     FROM events e
     WHERE e.organization_id = $1 AND e.action IN ('trailseal.retention_changed', 'trailseal.pruned')
       AND e.seq = coalesce(
         (SELECT max(seq) FROM changes WHERE seq >= (SELECT first_seq FROM head)),
         (SELECT event_seq FROM prunes WHERE organization_id = $1 ORDER BY prune_size DESC LIMIT 1))`,
    [organizationId],
  );
  const row = rows[0];
  if (!row) return null;
  const isChange = row.action === "trailseal.retention_changed";
  const { success, data } = (isChange ? changedSchema : repeatedSchema).safeParse(row.metadata);
  if (!success) return null;
  return {
    id: row.id,
    seq: Number(row.seq),
    days: data.days,
    defaultDays: data.default_days,
    undelivered: data.undelivered,
    // What is repeated was in force already; but nothing counts before it is signed.
    since: row.sealed_at && (data.since ?? row.sealed_at),
  };
}

const daysWords = (days: number | null) => (days === null ? "the default" : `${days} days`);

/** Why the settings count for nothing, in words for whoever looks after the log; null: log and settings agree. */
export function contradictionOf(
  settings: { days: number | null; undelivered: Undelivered },
  sealed: SealedRetention | null,
): string | null {
  const said = sealed ?? { days: null, undelivered: "hold" };
  const source = sealed ? `its event #${sealed.seq}` : "no event of it";
  const next =
    "Nothing is deleted. If the settings are right, save them again; if not, somebody changed them in the database.";
  if (settings.days !== said.days)
    return sealed
      ? `The settings keep events for ${daysWords(settings.days)}, ${source} says ${daysWords(said.days)}. ${next}`
      : `The settings keep events for ${daysWords(settings.days)}, and ${source} is in the log. ${next}`;
  if (settings.undelivered !== said.undelivered)
    return `The settings ${settings.undelivered === "delete" ? "do not wait" : "wait"} for streams that have not delivered, and ${sealed ? `${source} says otherwise` : `${source} is in the log`}. ${next}`;
  return null;
}
