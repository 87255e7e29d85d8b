import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { type Commitments, commitment, SALT_BYTES, unitNames } from "@/lib/chain/event-hash";
import { ownerPool } from "@/lib/db/owner-pool";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { deleteExpiredFiles, discardFiles, sweepFiles } from "@/lib/exports/server/export-jobs";
import { discardUploads, expireImports } from "@/lib/import/server/import-jobs";
import { asRole, withoutHold } from "./owner-transaction";

/** Erasure of a person's fields (integrity spec §2): the values go, their commitments and every hash stay. */

export interface Erasure {
  /** Id of an actor whose events lose the actor. */
  actor?: string;
  /** A target that is taken out of the events it appears in. */
  target?: { type: string; id: string };
  /** Of an actor's events, what else goes: address and user agent; everything the sender added. */
  context: boolean;
  metadata: boolean;
  reason: string;
}

export interface ErasurePlan {
  /** Events that hold the actor or the target. */
  events: number;
  firstSeq: number | null;
  lastSeq: number | null;
  /** Files of exports that are deleted, since they may hold it. */
  exports: number;
  /** What is out of reach, in sentences. */
  beyond: string[];
}

interface Row {
  seq: number;
  recorded_at: Date;
  id: string;
  actor: { type?: unknown; id?: unknown } | null;
  targets: ({ type?: unknown; id?: unknown } | null)[];
  context: object | null;
  metadata: object | null;
  ip: string | null;
  salts: Buffer;
  erased: Commitments | null;
}

const BATCH = 200;
/** Events that one announcing event names. */
const NAMED_AT_ONCE = 100;

const HOLDS = `SELECT e.seq FROM events e WHERE e.organization_id = $1 AND e.actor_id = $2
  UNION SELECT t.seq FROM event_targets t WHERE t.organization_id = $1 AND t.target_type = $3 AND t.target_id = $4`;

const subjectOf = ({ actor, target }: Erasure) => [
  actor ?? null,
  target?.type ?? null,
  target?.id ?? null,
];

/** What an erasure would do; it changes nothing. */
export async function planErasure(scope: Scope, erasure: Erasure): Promise<ErasurePlan> {
  const { organizationId } = scope;
  const pool = await ownerPool();
  try {
    const found = await pool.query<{ events: number; first: number | null; last: number | null }>(
      `SELECT count(*)::int AS events, min(seq)::int AS first, max(seq)::int AS last FROM (${HOLDS}) held`,
      [organizationId, ...subjectOf(erasure)],
    );
    const files = await pool.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM exports WHERE organization_id = $1 AND state IN ('queued', 'running', 'ready', 'failed')",
      [organizationId],
    );
    const streams = await pool.query<{ name: string }>(
      `SELECT DISTINCT s.name FROM streams s JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id
       WHERE s.organization_id = $1 AND t.delivered > 0 ORDER BY 1`,
      [organizationId],
    );
    const imports = await pool.query<{ file_name: string }>(
      `SELECT file_name FROM imports WHERE organization_id = $1 AND state IN ('queued', 'running') ORDER BY id`,
      [organizationId],
    );
    const row = found.rows[0];
    return {
      events: row?.events ?? 0,
      firstSeq: row?.first ?? null,
      lastSeq: row?.last ?? null,
      exports: files.rows[0]?.count ?? 0,
      beyond: [
        "Backups and the database's write-ahead log keep the values until they expire.",
        "Files that were downloaded, and bundles, keep them.",
        ...streams.rows.map(({ name }) => `The stream “${name}” has delivered copies.`),
        ...imports.rows.map(
          ({ file_name: name }) =>
            `The import of “${name}” is under way, and its file may bring the values back: wait for its end or cancel it, then erase again.`,
        ),
      ],
    };
  } finally {
    await pool.end();
  }
}

/**
 * Erases in batches, each one transaction with the events that announce it: after a stop, the same erasure again
 * goes on with what is left. Events that come meanwhile are found by another run.
 * @throws AppError conflict while a legal hold is open
 */
export async function eraseEvents(
  scope: Scope,
  erasure: Erasure,
  onProgress: (erased: number) => void = () => undefined,
): Promise<number> {
  const pool = await ownerPool();
  try {
    let erased = 0;
    for (;;) {
      const step = await withoutHold(pool, scope, (client) => eraseBatch(client, scope, erasure));
      if (step === 0) break;
      erased += step;
      onProgress(erased);
    }
    // Once more: one may have been made after a batch looked for them and before its events were erased.
    if (erased > 0) await withoutHold(pool, scope, (client) => discardCopies(client, scope));
    await deleteExpiredFiles();
    await expireImports();
    await sweepFiles();
    return erased;
  } finally {
    await pool.end();
  }
}

async function eraseBatch(client: pg.PoolClient, scope: Scope, erasure: Erasure): Promise<number> {
  const { organizationId } = scope;
  const { rows } = await client.query<Row>(
    `SELECT seq::int, recorded_at, id, actor, targets, context, metadata, ip, salts, erased FROM events
     WHERE organization_id = $1 AND seq IN (SELECT seq FROM (${HOLDS}) held ORDER BY seq LIMIT ${BATCH})
     ORDER BY seq`,
    [organizationId, ...subjectOf(erasure)],
  );
  if (rows.length === 0) return 0;
  await discardCopies(client, scope);
  const changes = rows.map((row) => ({ row, units: unitsOf(row, erasure) }));
  const named = new Map<string, typeof changes>();
  for (const change of changes) {
    const units = change.units.join(",");
    named.set(units, [...(named.get(units) ?? []), change]);
  }
  for (const [units, group] of named) {
    for (let at = 0; at < group.length; at += NAMED_AT_ONCE)
      await appendControlEvent(client, scope, {
        action: "trailseal.event_erased",
        targets: group
          .slice(at, at + NAMED_AT_ONCE)
          .map(({ row }) => ({ type: "audit_event", id: row.id })),
        metadata: { units, reason: erasure.reason },
      });
  }
  await asRole(client, "trailseal_eraser", async () => {
    for (const { row, units } of changes) await eraseRow(client, organizationId, row, units);
  });
  return rows.length;
}

/** Files that may hold what is erased. Their rows before the log's head: who starts or ends one locks them so, too. */
async function discardCopies(client: pg.PoolClient, scope: Scope): Promise<void> {
  await discardFiles(client, scope);
  await discardUploads(client, scope);
}

/** The units of an event that are there and go. */
function unitsOf(row: Row, { actor, target, context, metadata }: Erasure): string[] {
  const units: string[] = [];
  if (actor !== undefined && row.actor?.id === actor) {
    units.push("actor");
    if (context && row.context) units.push("context");
    if (metadata && row.metadata) units.push("metadata");
  }
  for (const [at, value] of row.targets.entries())
    if (target && value?.type === target.type && value.id === target.id)
      units.push(`targets/${at}`);
  return units;
}

async function eraseRow(
  client: pg.PoolClient,
  organizationId: string,
  row: Row,
  units: string[],
): Promise<void> {
  const salts = Buffer.from(row.salts);
  const erased: Commitments = { ...row.erased };
  const values: Record<string, object | null> = {
    actor: row.actor,
    context: row.context,
    metadata: row.metadata,
    ...Object.fromEntries(row.targets.map((value, at) => [`targets/${at}`, value])),
  };
  for (const unit of units) {
    const slot = unitNames(row.targets.length).indexOf(unit) * SALT_BYTES;
    const salt = salts.subarray(slot, slot + SALT_BYTES);
    erased[unit] = commitment(unit, salt, values[unit] as object);
    salt.fill(0);
    values[unit] = null;
  }
  const targets = row.targets.map((_, at) => values[`targets/${at}`] ?? null);
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  await client.query(
    `UPDATE events SET actor = $4, targets = $5, context = $6, metadata = $7, ip = $8, salts = $9, erased = $10
     WHERE organization_id = $1 AND seq = $2 AND recorded_at = $3`,
    [
      ...[organizationId, row.seq, row.recorded_at, json(values.actor), JSON.stringify(targets)],
      ...[
        json(values.context),
        json(values.metadata),
        values.context ? row.ip : null,
        salts,
        erased,
      ],
    ],
  );
  const left = targets.filter((value) => value !== null);
  for (const unit of units.filter((name) => name.startsWith("targets/"))) {
    const { type, id } = row.targets[
      Number(unit.slice("targets/".length))
    ] as Row["targets"][0] & {};
    if (left.some((other) => (other as typeof row.actor)?.id === id)) continue;
    await client.query(
      `DELETE FROM event_targets WHERE organization_id = $1 AND target_type = $2 AND target_id = $3 AND seq = $4`,
      [organizationId, type, id, row.seq],
    );
  }
}
