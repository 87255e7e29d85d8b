import type pg from "pg";
import { formatCheckpoint } from "@/lib/chain/checkpoint";
import { commitment, leafHash } from "@/lib/chain/event-hash";
import { Frontier } from "@/lib/chain/merkle";
import { noteSigner, signNote } from "@/lib/chain/note";
import { writeTiles } from "@/lib/chain/server/tiles";
import { sha256 } from "@/lib/chain/sha256";
import { append, prepare } from "@/lib/events/server/append";
import { countEvents } from "@/lib/events/server/rollups";
import { newId } from "@/lib/ids";
import { sealRow, selectRows } from "../server/sealed-rows";
import { Snapshot } from "../server/snapshot";

/** Where things lie in a drill's log; for 100,000 events the numbers of the specification's cases. */
export interface DrillPlan {
  log: string;
  origin: string;
  /** Another organization's log, from which rows and notes are taken. */
  other: string;
  events: number;
  /** Where most damage is done. */
  k: number;
  /** Events between two checkpoints. */
  step: number;
  /** Events after the last checkpoint. */
  tail: number;
  /** What a pruning removes. */
  pruned: number;
  /** The signer's own seed, for the cases in which it was stolen. */
  seed: Buffer;
}

const PIECE = 5_000;

/** The owner of the database, who knows the hash format: everything happens in one transaction of theirs. */
export class Forger {
  readonly #snapshot: Snapshot;

  constructor(
    readonly plan: DrillPlan,
    private readonly client: pg.PoolClient,
  ) {
    this.#snapshot = new Snapshot(client, plan.log);
  }

  /** The size of the first checkpoint that covers the damage. */
  get covering(): number {
    const { k, step } = this.plan;
    return (Math.floor(k / step) + 1) * step;
  }

  /** Runs statements in which ORG stands for the log's condition, LOG for its id, K for the place, N for the size. */
  async sql(...statements: string[]): Promise<void> {
    const { log, k, events } = this.plan;
    const words: Record<string, string> = {
      ORG: `organization_id = '${log}'`,
      LOG: `'${log}'`,
      K: String(k),
      N: String(events),
    };
    for (const sql of statements)
      await this.client.query(sql.replace(/\b(ORG|LOG|K|N)\b/g, (word) => words[word] as string));
  }

  /** Moves the numbers from `from` on by `by`. */
  async renumber(from: number, by: 1 | -1): Promise<void> {
    const far = 100_000_000;
    await this.sql(
      `UPDATE events SET seq = seq + ${far} WHERE ORG AND seq >= ${from}`,
      `UPDATE events SET seq = seq - ${far - by} WHERE ORG AND seq >= ${far}`,
    );
  }

  /** Gives the rows from `from` on the hashes that their content has now, and the head what follows. */
  async rechain(from: number): Promise<void> {
    const { log, origin } = this.plan;
    await this.#snapshot.prepare();
    let previous = (await this.#leaves(from - 1, from))[0] as Buffer;
    let [seq, recordedAt] = [from, ""];
    for (;;) {
      const rows = await selectRows(this.#snapshot, seq, seq + PIECE);
      if (rows.length === 0) break;
      const hashes: Buffer[] = [];
      for (const raw of rows) {
        const row = sealRow(log, raw);
        previous = leafHash(origin, row.seq, row.recordedAt, row.digest as Buffer, previous);
        hashes.push(previous);
        recordedAt = row.recordedAt;
      }
      await this.client.query(
        `UPDATE events e SET chain_hash = n.hash
         FROM unnest($2::bigint[], $3::bytea[]) AS n (seq, hash)
         WHERE e.organization_id = $1 AND e.seq = n.seq AND e.seq >= $4 AND e.seq < $5`,
        [log, rows.map(([at]) => at), hashes, seq, seq + PIECE],
      );
      seq += rows.length;
    }
    await this.client.query(
      "UPDATE log_heads SET next_seq = $2, head_hash = $3, last_recorded_at = $4 WHERE organization_id = $1",
      [log, seq, previous, recordedAt],
    );
  }

  /** Cuts everything from `size` on, as if it had never come. */
  async truncate(size: number): Promise<void> {
    await this.sql(
      `DELETE FROM events WHERE ORG AND seq >= ${size}`,
      `DELETE FROM event_targets WHERE ORG AND seq >= ${size}`,
      `UPDATE log_heads h SET next_seq = ${size}, head_hash = e.chain_hash, last_recorded_at = e.recorded_at
       FROM events e WHERE h.organization_id = LOG AND e.organization_id = LOG AND e.seq = ${size - 1}`,
    );
    await this.followAnew();
  }

  /** Tiles and rollups made anew from the rows as they are. */
  async followAnew(): Promise<void> {
    const tables = ["tiles", "rollup_hourly", "rollup_actions_daily", "rollup_keys_hourly"];
    await this.sql(
      ...tables.map((table) => `DELETE FROM ${table} WHERE ORG`),
      "UPDATE followers SET next_seq = 0 WHERE ORG",
    );
    while ((await writeTiles(this.client, this.plan.log)) > 0);
    while ((await countEvents(this.client, this.plan.log)) > 0);
  }

  /** Puts a signature over the rows as they are into each of these sizes. */
  async sign(sizes: readonly number[], seed: Buffer): Promise<void> {
    const { log, origin } = this.plan;
    const tree = new Frontier();
    for (const size of sizes) {
      for (const leaf of await this.#leaves(tree.size, size)) tree.append(leaf);
      const root = tree.root();
      const note = signNote(formatCheckpoint({ origin, size, root }), [noteSigner(origin, seed)]);
      await this.client.query(
        `INSERT INTO checkpoints (organization_id, origin, tree_size, root, note) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (organization_id, origin, tree_size) DO UPDATE SET root = EXCLUDED.root, note = EXCLUDED.note`,
        [log, origin, size, root, note],
      );
    }
  }

  async checkpointSizes(): Promise<number[]> {
    const { rows } = await this.client.query<{ tree_size: number }>(
      "SELECT tree_size FROM checkpoints WHERE organization_id = $1 ORDER BY 1",
      [this.plan.log],
    );
    return rows.map((row) => row.tree_size);
  }

  /** What the eraser does to an event's actor. `hash` puts another commitment in its place. */
  async eraseActor(seq: number, hash?: string): Promise<void> {
    const { rows } = await this.client.query<{ actor: object; salts: Buffer }>(
      "SELECT actor, salts FROM events WHERE organization_id = $1 AND seq = $2",
      [this.plan.log, seq],
    );
    const { actor, salts } = rows[0] as { actor: object; salts: Buffer };
    const erased = { actor: hash ?? commitment("actor", salts.subarray(0, 16), actor) };
    await this.client.query(
      "UPDATE events SET actor = NULL, salts = $3, erased = $4 WHERE organization_id = $1 AND seq = $2",
      [this.plan.log, seq, Buffer.concat([Buffer.alloc(16), salts.subarray(16)]), erased],
    );
  }

  /** Seals the event that allows an erasure. */
  async announceErasure(seq: number): Promise<void> {
    const { rows } = await this.client.query<{ id: string }>(
      "SELECT id FROM events WHERE organization_id = $1 AND seq = $2",
      [this.plan.log, seq],
    );
    const targets = [{ type: "audit_event", id: rows[0]?.id as string }];
    await this.append("trailseal.event_erased", { units: "actor" }, targets);
  }

  /** Removes the first `size` events the way retention does: announced, recorded, deleted. */
  async prune(size: number): Promise<void> {
    const leaves = await this.#leaves(0, size);
    const tree = new Frontier();
    for (const leaf of leaves) tree.append(leaf);
    const chainHash = leaves.at(-1) as Buffer;
    const seq = await this.append("trailseal.pruned", {
      prune_size: String(size),
      chain_hash: chainHash.toString("hex"),
      root: tree.root().toString("hex"),
    });
    await this.recordPrune(size, chainHash, tree.hashes, seq);
  }

  async recordPrune(
    size: number,
    chainHash: Buffer,
    frontier: readonly Buffer[],
    eventSeq: number,
  ): Promise<void> {
    await this.client.query("INSERT INTO prunes VALUES ($1, $2, $3, $4, $5)", [
      this.plan.log,
      size,
      chainHash,
      frontier,
      eventSeq,
    ]);
    await this.sql(
      `DELETE FROM events WHERE ORG AND seq < ${size}`,
      `DELETE FROM event_targets WHERE ORG AND seq < ${size}`,
      `UPDATE log_heads SET first_seq = ${size} WHERE ORG`,
    );
  }

  /** The record of a pruning that no event allows. */
  async forgePrune(size: number): Promise<void> {
    const leaves = await this.#leaves(0, size);
    const tree = new Frontier();
    for (const leaf of leaves) tree.append(leaf);
    await this.recordPrune(size, leaves.at(-1) as Buffer, tree.hashes, this.plan.events - 1);
  }

  /** Seals an event as the product does. @returns its sequence number */
  async append(
    action: string,
    metadata: Record<string, string>,
    targets: { type: string; id: string }[] = [],
  ): Promise<number> {
    const occurredAt = new Date().toISOString();
    const event = {
      action,
      version: 1,
      occurredAt,
      receivedOccurredAt: occurredAt,
      actor: { type: "user", id: "usr_drill" },
      targets,
      context: { location: "203.0.113.7" },
      metadata,
    };
    const key = sha256(newId("request"));
    const item = { event, key, keylessKey: null, source: "import" as const };
    const [outcome] = await append(this.client, this.plan.log, [prepare(this.plan.log, item)]);
    return outcome?.seq as number;
  }

  async #leaves(from: number, to: number): Promise<Buffer[]> {
    const { rows } = await this.client.query<{ chain_hash: Buffer }>(
      "SELECT chain_hash FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
      [this.plan.log, from, to],
    );
    return rows.map((row) => row.chain_hash);
  }
}
