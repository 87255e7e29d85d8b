import type pg from "pg";
import { z } from "zod";
import { raiseAlert } from "@/lib/alerts/server/alerts";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, longPool, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { MAX_BATCH_EVENTS } from "@/lib/streams/destination";
import { prefixesOf, Refusal } from "@/lib/streams/object-store";
import { destinations, isReadable, openDestination } from "@/lib/streams/registry";
import {
  type Problem,
  type Reconciliation,
  type ReconciliationFinding,
  reconciliationFindingSchema,
} from "@/lib/streams/schema";
import { classifyFailure } from "@/lib/streams/server/failures";
import {
  openSecrets,
  SecretUnreadableError,
  storedSecretsSchema,
} from "@/lib/streams/server/secrets";
import { GuardedTransport } from "@/lib/streams/server/transport";
import type { DamageKind } from "../schema";
import { type SeqRange, StoreComparison } from "./store-comparison";
import { hostTrust, verifyLog } from "./verify";

/**
 * The store as a witness: what a stream put there is read back and held against the log, both ways, with the signed
 * checkpoints among it. Whoever rewrites the log's rows does not reach these.
 */

const REQUEST_DEADLINE_MS = 30_000;
/** What is wrong beside the log itself is told by a verification. */
const DERIVED: DamageKind[] = ["projection_mismatch", "merkle_cache_tampered", "nothing_checked"];

interface Subject {
  name: string;
  destination: string;
  config: unknown;
  secrets: unknown;
  format: string;
  filter: string;
  created_at: Date;
  updated_at: Date;
  /** Where it began to send what it sends now to where it sends it now; after a change a batch may be under way. */
  start_seq: number;
  cursor_seq: number;
  first_seq: number;
}

interface Options {
  /** From the stream's beginning, not from the last comparison that found nothing. */
  whole?: boolean;
  signal?: AbortSignal;
}

async function findSubject({ organizationId }: Scope, id: string, pool: pg.Pool): Promise<Subject> {
  const { rows } = await pool.query<Subject>(
    `SELECT s.name, s.destination, s.config, s.secrets, s.format, s.filter, s.created_at, s.updated_at,
       greatest(s.compared_from + ${MAX_BATCH_EVENTS}, t.from_seq, 0) AS start_seq, t.cursor_seq, h.first_seq
     FROM streams s
     JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id AND t.lane = 'live'
     JOIN log_heads h ON h.organization_id = s.organization_id
     WHERE s.organization_id = $1 AND s.id = $2 AND s.deleted_at IS NULL`,
    [organizationId, id],
  );
  const [row] = rows;
  if (!row) throw new AppError("not_found", "There is no such stream.");
  return row;
}

/**
 * Compares what lies at a stream's receiver with the log and keeps the result. A difference that was not known raises
 * an alert. Why nothing could be read is kept in the result, too.
 * @throws AppError invalid_request for a stream whose receiver cannot be read, or holds another format than ours
 */
export async function reconcileStream(
  scope: Scope,
  id: string,
  options: Options = {},
): Promise<Reconciliation> {
  const subject = await findSubject(scope, id, longPool());
  if (!isComparable(subject))
    throw new AppError(
      "invalid_request",
      "Only object stores can be read back, and only in the format of audit events.",
    );
  const last = await readLast(scope, id, "error IS NULL", longPool());
  const { start_seq: begin, first_seq: first, cursor_seq: cursor } = subject;
  // What differed, again; else the end of what did not: the chain hashes there speak for everything before them.
  const next = last?.finding ? last.fromSeq : (last?.toSeq ?? 0) - MAX_BATCH_EVENTS;
  const from = options.whole ? begin : Math.max(begin, next);
  const range = { start: Math.min(Math.max(from, first), cursor), end: cursor };
  const comparison = new StoreComparison(scope.organizationId, range);
  const notCovered: string[] = [];
  if (first > from)
    notCovered.push(`Events below #${first} are pruned: what lies there of them was not compared.`);
  let error: string | null = null;
  try {
    const isWhole = options.whole || !last || last.finding;
    const since = isWhole ? subject.created_at : new Date(last.checkedAt);
    await readAll(scope, id, subject, comparison, since, options.signal);
    if (subject.filter === "") comparison.finish(await readExcused(scope, id, range));
    else notCovered.push("The stream has a filter: that no event is missing was not checked.");
    await checkNotes(scope, comparison, notCovered, options.signal);
  } catch (failure) {
    options.signal?.throwIfAborted();
    const { message, advice } = problemOf(failure);
    error = `${message} ${advice}`;
  }
  const { objects, events, checkpoints, passedOver } = comparison;
  if (passedOver > 0)
    notCovered.push(
      `${passedOver} lines are of events that were pruned, or lost before a new epoch.`,
    );
  const found = error === null ? comparison.finding : null;
  return inTransaction(longPool(), async (client) => {
    const { rows } = await client.query<{ checked_at: Date }>(
      `INSERT INTO stream_reconciliations (organization_id, stream_id, from_seq, to_seq, objects, events,
         checkpoints, not_covered, finding, error)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING checked_at`,
      [
        ...[scope.organizationId, id, range.start, range.end, objects, events, checkpoints],
        ...[notCovered, found && JSON.stringify(found), error],
      ],
    );
    const { name } = subject;
    if (error === null)
      await alertOnDifference(client, scope, { id, name }, found, last?.finding ?? null);
    return {
      checkedAt: (rows[0]?.checked_at ?? new Date()).toISOString(),
      ...{ fromSeq: range.start, toSeq: range.end, objects, events, checkpoints },
      ...{ notCovered, finding: found, error },
    };
  });
}

function isComparable({ destination, format }: Pick<Subject, "destination" | "format">) {
  return format === "trailseal" && isReadable(destination);
}

async function readAll(
  { organizationId }: Scope,
  id: string,
  subject: Subject,
  comparison: StoreComparison,
  checkpointsSince: Date,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const destination = openDestination(subject.destination, subject.config);
  const stored = storedSecretsSchema.parse(subject.secrets);
  const secrets = openSecrets({ organizationId, streamId: id }, stored, destination.secretNames);
  const owner = `${id} ${subject.updated_at.toISOString()}`;
  const transport = new GuardedTransport(owner, REQUEST_DEADLINE_MS, undefined, signal);
  const { from, to } = await daysOf(organizationId, comparison.range);
  const prefixes = [
    ...(comparison.range.end > comparison.range.start
      ? prefixesOf(organizationId, "", from, to)
      : []),
    ...prefixesOf(organizationId, "checkpoints/", checkpointsSince, new Date()),
  ];
  for await (const object of destination.readBack?.(prefixes, secrets, transport) ?? []) {
    signal.throwIfAborted();
    await comparison.add(object);
  }
}

/** When the first and the last of them were received; an object may begin a batch before. */
async function daysOf(organizationId: string, { start, end }: SeqRange) {
  const { rows } = await longPool().query<{ from: Date | null; to: Date | null }>(
    `SELECT coalesce(
         (SELECT recorded_at FROM events WHERE organization_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1),
         (SELECT recorded_at FROM events WHERE organization_id = $1 ORDER BY seq LIMIT 1)) AS "from",
       (SELECT recorded_at FROM events WHERE organization_id = $1 AND seq >= $3 ORDER BY seq LIMIT 1) AS "to"`,
    [organizationId, start - MAX_BATCH_EVENTS, end - 1],
  );
  const now = new Date();
  return { from: rows[0]?.from ?? now, to: rows[0]?.to ?? now };
}

/** Delivered numbers that lie nowhere: set aside, or jumped over by a person. */
async function readExcused({ organizationId }: Scope, id: string, { start, end }: SeqRange) {
  const { rows } = await longPool().query<SeqRange>(
    `SELECT seq AS start, seq + 1 AS "end" FROM dead_letters
     WHERE organization_id = $1 AND stream_id = $2 AND seq >= $3 AND seq < $4
     UNION ALL
     SELECT coalesce(lower(gap), 0), upper(gap) FROM stream_state, unnest(skipped) AS gap
     WHERE organization_id = $1 AND stream_id = $2 AND lane = 'live'`,
    [organizationId, id, start, end],
  );
  return rows;
}

/** Checkpoints that lie there are evidence of a whole verification, as `verify --checkpoints` takes it. */
async function checkNotes(
  scope: Scope,
  comparison: StoreComparison,
  notCovered: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { notes } = comparison;
  if (notes.length === 0) {
    notCovered.push("No signed checkpoint lies among what was read.");
    return;
  }
  const trust = await hostTrust(scope);
  if (!trust) {
    notCovered.push("Checkpoints were not checked: this host has no key of the log.");
    return;
  }
  const checkpoints = [...(trust.checkpoints ?? []), ...notes];
  const verdict = await verifyLog(scope, {
    trust: { ...trust, checkpoints },
    ...(signal ? { signal } : {}),
  });
  const damage = verdict.findings.find(({ kind }) => !DERIVED.includes(kind));
  if (damage) comparison.found("checkpoint", damage.seq, null, `${damage.kind}: ${damage.detail}`);
}

/** @throws what is a fault of ours */
function problemOf(failure: unknown): Problem {
  if (failure instanceof SecretUnreadableError) return failure.problem;
  const outcome = failure instanceof Refusal ? failure.outcome : classifyFailure(failure);
  if (!("problem" in outcome)) throw failure;
  return outcome.problem;
}

async function alertOnDifference(
  client: pg.PoolClient,
  scope: Scope,
  stream: { id: string; name: string },
  found: ReconciliationFinding | null,
  known: ReconciliationFinding | null,
): Promise<void> {
  const path = `/o/${scope.organizationId}/integrity/streams/${stream.id}`;
  if (found && (found.kind !== known?.kind || found.seq !== known.seq))
    await raiseAlert(client, scope, {
      kind: "stream.differs",
      title: `What ${stream.name} delivered is not what the audit log of ${scope.organizationId} holds`,
      detail: found.key ? `${found.detail} Object: ${found.key}` : found.detail,
      path,
    });
  else if (!found && known)
    await raiseAlert(client, scope, {
      kind: "stream.agrees",
      title: `What ${stream.name} delivered is what the audit log of ${scope.organizationId} holds, again`,
      detail: "A later comparison finds no difference any more.",
      path,
    });
}

async function readLast(
  { organizationId }: Scope,
  id: string,
  condition: "true" | "error IS NULL",
  pool: pg.Pool,
): Promise<Reconciliation | null> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `SELECT * FROM stream_reconciliations WHERE organization_id = $1 AND stream_id = $2 AND ${condition}
     ORDER BY checked_at DESC LIMIT 1`,
    [organizationId, id],
  );
  return rows[0] ? rowSchema.parse(rows[0]) : null;
}

const rowSchema = z
  .object({
    checked_at: z.date(),
    from_seq: z.number(),
    to_seq: z.number(),
    objects: z.number(),
    events: z.number(),
    checkpoints: z.number(),
    not_covered: z.array(z.string()),
    finding: reconciliationFindingSchema.nullable(),
    error: z.string().nullable(),
  })
  .transform(
    ({ checked_at, from_seq, to_seq, not_covered, ...rest }): Reconciliation => ({
      checkedAt: checked_at.toISOString(),
      ...{ fromSeq: from_seq, toSeq: to_seq, notCovered: not_covered },
      ...rest,
    }),
  );

/** The newest comparison of a stream, null before the first; and whether there can be one. */
export async function readReconciliation(
  scope: Scope,
  id: string,
): Promise<{ isPossible: boolean; latest: Reconciliation | null }> {
  const [subject, latest] = await Promise.all([
    findSubject(scope, id, readPool()),
    readLast(scope, id, "true", readPool()),
  ]);
  return { isPossible: isComparable(subject), latest };
}

/** Streams that delivered something and were not compared for a day. */
export async function streamsToReconcile(): Promise<{ organizationId: string; id: string }[]> {
  const readable = destinations.filter(({ readBack }) => readBack).map(({ id }) => id);
  const { rows } = await longPool().query<{ organization_id: string; id: string }>(
    `SELECT s.organization_id, s.id FROM streams s
     JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id AND t.lane = 'live'
     WHERE s.deleted_at IS NULL AND s.format = 'trailseal' AND s.destination = ANY($1) AND t.delivered > 0
       AND NOT EXISTS (SELECT 1 FROM stream_reconciliations r WHERE r.organization_id = s.organization_id
         AND r.stream_id = s.id AND r.checked_at > now() - interval '1 day')
     ORDER BY s.organization_id, s.id`,
    [readable],
  );
  return rows.map(({ organization_id, id }) => ({ organizationId: organization_id, id }));
}
