import type pg from "pg";
import { eventDigest, leafHash, makeSalts } from "@/lib/chain/event-hash";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import type { NewEvent } from "../schema";
import { copyEvents } from "./copy-events";

/** The transaction that seals: integrity spec §3. */

export interface AppendItem {
  event: NewEvent;
  /** SHA-256 by which a repetition is recognised. */
  key: Buffer;
  /** For a keyed request: the key its event would have had without one (see RECENT_KEYLESS). */
  keylessKey: Buffer | null;
  /** 'api' keys live 24 hours, 'import' keys as long as their event. */
  source: "api" | "import";
  /** The key that a request came with. */
  apiKeyId?: string | null;
}

export interface AppendOutcome {
  seq: number;
  duplicate: boolean;
  /** Of the event stored now; null for a duplicate. */
  id: string | null;
  chainHash: Buffer | null;
}

/** An item with everything that can be computed before the head is locked. */
export interface Prepared extends AppendItem {
  id: string;
  salts: Buffer;
  digest: Buffer;
}

interface Head {
  origin: string;
  next_seq: number;
  head_hash: Buffer;
  last_recorded_at: Date | null;
}

const KEY_LIFETIME = "24 hours";
/** A client that adds its key on the second attempt only left a keyless key behind minutes ago. */
const RECENT_KEYLESS = "5 minutes";
const MAX_ATTEMPTS = 5;

/** Id, salts and digest: the costly half of sealing, done without a lock. */
export function prepare(organizationId: string, item: AppendItem): Prepared {
  const { event } = item;
  const id = newId("event");
  const salts = makeSalts(event.targets.length);
  const content = {
    id,
    organization_id: organizationId,
    action: event.action,
    version: event.version,
    occurred_at: event.occurredAt,
    actor: event.actor,
    targets: event.targets,
    context: event.context,
    metadata: event.metadata,
  };
  return { ...item, id, salts, digest: eventDigest(content, salts) };
}

/**
 * Seals a batch into one organization's log, in one transaction; resolves after the commit. A repetition
 * takes no sequence number, so the sequence has no gap.
 * @returns one outcome per item, in order.
 * @throws AppError not_found for an unknown or deleted organization; the driver's error when the database fails (the
 * commit may then have happened: the same items appended again come out as duplicates).
 */
export async function appendPrepared(
  organizationId: string,
  prepared: Prepared[],
): Promise<AppendOutcome[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(writePool(), (client) => append(client, organizationId, prepared));
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(await mayRetry(organizationId, error))) throw error;
    }
  }
}

/** Events between two turns of the event loop: preparing must not hold up the commit under way. */
const PREPARED_PER_TURN = 16;

export async function prepareBatch(
  organizationId: string,
  items: AppendItem[],
): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const item of items) {
    if (prepared.length % PREPARED_PER_TURN === 0) await new Promise(setImmediate);
    prepared.push(prepare(organizationId, item));
  }
  return prepared;
}

/** Prepares and seals a batch; see appendPrepared. */
export async function appendBatch(
  organizationId: string,
  items: AppendItem[],
): Promise<AppendOutcome[]> {
  return appendPrepared(organizationId, await prepareBatch(organizationId, items));
}

/** Serialisation failure, deadlock, a moved shard's lost connection or lock, a month without partition. */
async function mayRetry(organizationId: string, error: unknown): Promise<boolean> {
  const { code, constraint } = error as { code?: string; constraint?: string };
  if (code === "23514" && constraint === undefined) {
    await writePool().query(
      "SELECT ensure_partitions(greatest($2, last_recorded_at)) FROM log_heads WHERE organization_id = $1",
      [organizationId, new Date()],
    );
    return true;
  }
  if (code === "23505") return /^events_/.test(constraint ?? "");
  return code === "40001" || code === "40P01" || code === "08006";
}

/**
 * What appendPrepared does, in the caller's transaction.
 * @param options.isDeletedToo a deleted organization's log takes what retention has to say
 */
export async function append(
  client: pg.PoolClient,
  organizationId: string,
  items: Prepared[],
  options: { isDeletedToo?: boolean } = {},
): Promise<AppendOutcome[]> {
  // An update that changes nothing takes the head's lock; FOR UPDATE would not survive a shard move.
  const locked = await client.query<Head>(
    `UPDATE log_heads SET next_seq = next_seq WHERE organization_id = $1
       AND EXISTS (SELECT FROM organizations WHERE id = $1 AND (deleted_at IS NULL OR $2))
     RETURNING origin, next_seq, head_hash, last_recorded_at`,
    [organizationId, options.isDeletedToo ?? false],
  );
  const head = locked.rows[0];
  if (!head) throw new AppError("not_found", `Organization not found: '${organizationId}'.`);

  const known = await findKeys(client, organizationId, items);
  const fresh: Prepared[] = [];
  const seqOfKey = new Map<string, number>();
  const adopted: FreshKey[] = [];
  for (const item of items) {
    const key = item.key.toString("hex");
    const seq = known.get(key) ?? seqOfKey.get(key);
    const keyless = item.keylessKey?.toString("hex");
    const keylessSeq = known.get(`recent ${keyless}`) ?? seqOfKey.get(`${keyless}`);
    if (seq !== undefined) continue;
    if (keylessSeq !== undefined) {
      known.set(key, keylessSeq);
      adopted.push({ key: item.key, seq: keylessSeq, source: item.source });
      continue;
    }
    seqOfKey.set(key, head.next_seq + fresh.length);
    fresh.push(item);
  }

  // Never decreasing: after a clock that stepped back, the head's last time stands.
  const recordedAt = new Date(
    Math.max(Date.now(), head.last_recorded_at?.getTime() ?? 0),
  ).toISOString();
  const hashes = chain(head, recordedAt, fresh);
  const firstKeys = fresh.map((item, position) => ({
    key: item.key,
    seq: head.next_seq + position,
    source: item.source,
  }));
  await storeKeys(client, organizationId, [...firstKeys, ...adopted]);
  if (fresh.length > 0) {
    await copyEvents(client, {
      organizationId,
      firstSeq: head.next_seq,
      recordedAt,
      events: fresh,
      hashes,
    });
    await client.query(
      "UPDATE log_heads SET next_seq = $2, head_hash = $3, last_recorded_at = $4 WHERE organization_id = $1",
      [organizationId, head.next_seq + fresh.length, hashes.at(-1), recordedAt],
    );
  }
  return items.map((item) => {
    const key = item.key.toString("hex");
    const seq = known.get(key) ?? (seqOfKey.get(key) as number);
    const position = seq - head.next_seq;
    const duplicate = fresh[position] !== item;
    return {
      seq,
      duplicate,
      id: duplicate ? null : item.id,
      chainHash: duplicate ? null : (hashes[position] as Buffer),
    };
  });
}

/**
 * Sequence numbers of keys that still count, by hex key. The head's lock makes a plain read race-free. A
 * keyless key younger than RECENT_KEYLESS is also listed as `recent <hex>`.
 */
async function findKeys(
  client: pg.PoolClient,
  organizationId: string,
  items: Prepared[],
): Promise<Map<string, number>> {
  const keys = items.flatMap((item) =>
    item.keylessKey ? [item.key, item.keylessKey] : [item.key],
  );
  const found = await client.query<{ key_hash: Buffer; seq: number; recent: boolean }>(
    `SELECT key_hash, seq, created_at > now() - $3::interval AS recent FROM idempotency_keys
     WHERE organization_id = $1 AND key_hash = ANY($2::bytea[]) AND (source = 'import' OR expires_at > now())`,
    [organizationId, keys, RECENT_KEYLESS],
  );
  const known = new Map<string, number>();
  for (const row of found.rows) {
    const key = row.key_hash.toString("hex");
    known.set(key, row.seq);
    if (row.recent) known.set(`recent ${key}`, row.seq);
  }
  return known;
}

interface FreshKey {
  key: Buffer;
  seq: number;
  source: AppendItem["source"];
}

/** An expired key may still stand in the way of its own renewal. */
async function storeKeys(
  client: pg.PoolClient,
  organizationId: string,
  keys: FreshKey[],
): Promise<void> {
  if (keys.length === 0) return;
  await client.query(
    `INSERT INTO idempotency_keys (organization_id, key_hash, seq, source, created_at, expires_at)
     SELECT $1, key, seq, source, now(), CASE source WHEN 'api' THEN now() + $5::interval END
     FROM unnest($2::bytea[], $3::bigint[], $4::text[]) AS fresh (key, seq, source)
     ON CONFLICT (organization_id, key_hash) DO UPDATE
     SET seq = EXCLUDED.seq, source = EXCLUDED.source, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at`,
    [
      organizationId,
      keys.map(({ key }) => key),
      keys.map(({ seq }) => seq),
      keys.map(({ source }) => source),
      KEY_LIFETIME,
    ],
  );
}

function chain(head: Head, recordedAt: string, items: Prepared[]): Buffer[] {
  let previous = head.head_hash;
  return items.map((item, position) => {
    previous = leafHash(head.origin, head.next_seq + position, recordedAt, item.digest, previous);
    return previous;
  });
}
