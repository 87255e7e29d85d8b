import { randomBytes } from "@/lib/chain/sha256";
import type { DamageKind } from "../schema";
import type { DrillPlan, Forger } from "./forger";

/** A kind of damage and the verdict that it must get: null is "nothing found". */
export interface DrillCase {
  /** T and C: the specification's tamper cases and controls. P: what lists and counts are read from. */
  id: string;
  /** What is done, for people. */
  does: string;
  damage: (forger: Forger) => Promise<void>;
  /** By the pinned key and the database alone. */
  kind: DamageKind | null;
  /** First sequence number named; where it is not the place of the damage. */
  at?: (plan: DrillPlan) => number;
  /** With checkpoints and receipts kept elsewhere, where that is another verdict. */
  elsewhere?: DamageKind;
}

const edit = (id: string, does: string, set: string): DrillCase => ({
  id,
  does,
  damage: (forger) => forger.sql(`UPDATE events SET ${set} WHERE ORG AND seq = K`),
  kind: "edited_content",
});

const copyAt = (seq: string, recordedAt = "recorded_at") =>
  `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets,
     context, metadata, salts, chain_hash, ip)
   SELECT organization_id, ${seq}, ${recordedAt}, occurred_at, version, 'audit_event_forged', action, actor,
     targets, context, metadata, salts, sha256('x'), ip FROM events WHERE ORG AND seq = K`;

// Not the action: rollups would tell.
const EDIT = `UPDATE events SET metadata = '{"amount": "1"}' WHERE ORG AND seq = K`;

/** An edit, and every later hash made anew. */
async function rewrite(forger: Forger): Promise<void> {
  await forger.sql(EDIT);
  await forger.rechain(forger.plan.k);
  await forger.followAnew();
}

async function removeAndRenumber(forger: Forger): Promise<void> {
  await forger.sql("DELETE FROM events WHERE ORG AND seq = K");
  await forger.renumber(forger.plan.k + 1, -1);
  await forger.sql("UPDATE log_heads SET next_seq = next_seq - 1 WHERE ORG");
}

const before = ({ k, step }: DrillPlan) => Math.floor(k / step) * step;
const covering = (plan: DrillPlan) => before(plan) + plan.step;
const tables = ["events", "event_targets", "tiles", "checkpoints", "prunes", "followers"];
const lists = ["rollup_hourly", "rollup_actions_daily", "rollup_keys_hourly", "idempotency_keys"];

export const drillCases: readonly DrillCase[] = [
  edit("T01", "the action is changed", "action = 'user.signed_out'"),
  edit("T02", "metadata is changed", "metadata = jsonb_set(metadata, '{amount}', '1')"),
  edit("T03", "the actor's id is changed", `actor = jsonb_set(actor, '{id}', '"user_1x"')`),
  edit("T04", "occurred_at is moved by 1 ms", "occurred_at = occurred_at + interval '1 ms'"),
  edit("T05", "recorded_at is moved by 1 ms", "recorded_at = recorded_at + interval '1 ms'"),
  edit("T06", "recorded_at is moved by a month", "recorded_at = recorded_at + interval '1 month'"),
  edit("T07", "the location is removed", "context = context - 'location'"),
  edit("T08", "a target is renamed", `targets = jsonb_set(targets, '{0,name}', '"Z"')`),
  edit(
    "T09",
    "a target is added, with a salt",
    `targets = targets || '[{"id":"u","type":"user"}]', salts = salts || decode(repeat('00', 16), 'hex')`,
  ),
  edit("T10", "the version is changed", "version = version + 1"),
  edit("T11", "the event's id is changed", "id = 'evt_other'"),
  edit("T12", "a salt is changed", "salts = set_byte(salts, 0, get_byte(salts, 0) # 1)"),
  {
    ...edit("T13", "the chain hash is changed", "chain_hash = sha256('x')"),
    kind: "edited_hash",
  },
  {
    id: "T14",
    does: "a generated column is made plain and changed",
    damage: (forger) =>
      forger.sql(
        "ALTER TABLE events ALTER COLUMN actor_id DROP EXPRESSION",
        "UPDATE events SET actor_id = 'bob' WHERE ORG AND seq = K",
      ),
    kind: "projection_mismatch",
  },
  {
    id: "T15",
    does: "one event is deleted",
    damage: (forger) => forger.sql("DELETE FROM events WHERE ORG AND seq = K"),
    kind: "deleted_row",
  },
  {
    id: "T16",
    does: "100 events are deleted",
    damage: (forger) => forger.sql("DELETE FROM events WHERE ORG AND seq BETWEEN K AND K + 99"),
    kind: "deleted_row",
  },
  {
    id: "T17",
    does: "one event is deleted, the later ones renumbered",
    damage: removeAndRenumber,
    kind: "deleted_row",
  },
  {
    id: "T18",
    does: "the same, with all hashes, head and tiles made anew",
    damage: async (forger) => {
      await removeAndRenumber(forger);
      await forger.sql(
        "DELETE FROM event_targets WHERE ORG AND seq = K",
        "UPDATE event_targets SET seq = seq - 1 WHERE ORG AND seq > K",
      );
      await forger.rechain(forger.plan.k);
      await forger.followAnew();
    },
    kind: "history_rewritten",
    at: before,
  },
  {
    id: "T19",
    does: "an event is put in, the later ones renumbered",
    damage: async (forger) => {
      await forger.renumber(forger.plan.k, 1);
      await forger.sql(copyAt("K").replace("seq = K", "seq = K - 1"));
    },
    kind: "inserted_row",
  },
  {
    id: "T20",
    does: "a second event with the same number is put in",
    damage: (forger) => forger.sql(copyAt("K", "recorded_at + interval '1 ms'")),
    kind: "inserted_row",
  },
  {
    id: "T21",
    does: "two events exchange their numbers",
    damage: (forger) =>
      forger.sql(
        "UPDATE events SET seq = -1 WHERE ORG AND seq = K",
        "UPDATE events SET seq = K WHERE ORG AND seq = K + 1",
        "UPDATE events SET seq = K + 1 WHERE ORG AND seq = -1",
      ),
    kind: "reordered",
  },
  {
    id: "T22",
    does: "two events exchange their content",
    damage: (forger) =>
      forger.sql(
        `UPDATE events a SET action = b.action, id = b.id, occurred_at = b.occurred_at, actor = b.actor,
           targets = b.targets, context = b.context, metadata = b.metadata, salts = b.salts, ip = b.ip
         FROM events b WHERE a.organization_id = LOG AND b.organization_id = LOG
           AND a.seq IN (K, K + 3) AND b.seq = 2 * K + 3 - a.seq`,
      ),
    kind: "edited_content",
  },
  {
    id: "T23",
    does: "the newest 10 events are deleted, the head is kept",
    damage: (forger) => forger.sql("DELETE FROM events WHERE ORG AND seq >= N - 10"),
    kind: "truncated_tail",
    at: ({ events }) => events - 10,
  },
  {
    id: "T24",
    does: "the newest 10 events are deleted, and everything that knew of them",
    damage: (forger) => forger.truncate(forger.plan.events - 10),
    kind: null,
    elsewhere: "receipt_missing",
  },
  {
    id: "T25",
    does: "the same with events that a checkpoint covers",
    damage: (forger) => forger.truncate(forger.plan.events - 10 * forger.plan.tail),
    kind: "truncated_tail",
    at: ({ events, tail }) => events - 10 * tail,
  },
  {
    id: "T26",
    does: "most of the log is cut off, with the checkpoints that covered it",
    damage: async (forger) => {
      const size = 3 * forger.plan.step;
      await forger.truncate(size + 3);
      await forger.sql(`DELETE FROM checkpoints WHERE ORG AND tree_size > ${size}`);
    },
    kind: null,
    elsewhere: "truncated_tail",
  },
  {
    id: "T27",
    does: "an event is changed; hashes, head and tiles are made anew",
    damage: rewrite,
    kind: "history_rewritten",
    at: before,
  },
  {
    id: "T28",
    does: "the same with the tiles left alone",
    damage: async (forger) => {
      await forger.sql(EDIT);
      await forger.rechain(forger.plan.k);
    },
    kind: "history_rewritten",
  },
  {
    id: "T29",
    does: "as T27, and the checkpoints that cover it are deleted",
    damage: async (forger) => {
      await rewrite(forger);
      await forger.sql("DELETE FROM checkpoints WHERE ORG AND tree_size > K");
    },
    kind: "missing_checkpoint",
    at: before,
    elsewhere: "history_rewritten",
  },
  {
    id: "T30",
    does: "as T27, and all is signed with another key",
    damage: async (forger) => {
      await rewrite(forger);
      await forger.sign(await forger.checkpointSizes(), randomBytes(32));
    },
    kind: "bad_signature",
    at: ({ step }) => step,
  },
  {
    id: "T31",
    does: "as T27, and all is signed with the stolen key",
    damage: async (forger) => {
      await rewrite(forger);
      await forger.sign(await forger.checkpointSizes(), forger.plan.seed);
    },
    kind: null,
    elsewhere: "forked_checkpoint",
  },
  {
    id: "T32",
    does: "a checkpoint's signature is changed",
    damage: (forger) =>
      forger.sql(
        `UPDATE checkpoints SET note = regexp_replace(note, '..=?=?\\n$', E'AA==\\n')
         WHERE ORG AND tree_size = ${forger.covering}`,
      ),
    kind: "bad_signature",
    at: covering,
  },
  {
    id: "T33",
    does: "a checkpoint's size is changed",
    damage: (forger) =>
      forger.sql(
        `UPDATE checkpoints SET tree_size = tree_size + 1 WHERE ORG AND tree_size = ${forger.covering}`,
      ),
    kind: "checkpoint_row_mismatch",
    at: (plan) => covering(plan) + 1,
  },
  {
    id: "T34",
    does: "another organization's checkpoint takes the place of one",
    damage: (forger) =>
      forger.sql(
        `UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE organization_id = '${forger.plan.other}'
           ORDER BY tree_size DESC LIMIT 1) WHERE ORG AND tree_size = ${forger.covering}`,
      ),
    kind: "bad_signature",
    at: covering,
  },
  {
    id: "T35",
    does: "another organization's event is moved in",
    damage: (forger) =>
      forger.sql(
        `UPDATE events SET organization_id = LOG, recorded_at = recorded_at + interval '1 ms'
         WHERE organization_id = '${forger.plan.other}' AND seq = 15`,
      ),
    kind: "inserted_row",
    at: () => 15,
  },
  edit("T36", "the actor is removed", "actor = NULL"),
  {
    id: "T37",
    does: "the actor is erased without the event that allows it",
    damage: (forger) => forger.eraseActor(forger.plan.k),
    kind: "unauthorised_erasure",
  },
  {
    id: "T38",
    does: "the actor is erased with a wrong commitment",
    damage: (forger) => forger.eraseActor(forger.plan.k, "00".repeat(32)),
    kind: "edited_content",
  },
  {
    id: "T39",
    does: "another actor is put in the place of an erased one",
    damage: async (forger) => {
      await forger.announceErasure(forger.plan.k);
      await forger.eraseActor(forger.plan.k);
      await forger.sql(
        `UPDATE events SET actor = '{"id":"x","type":"user"}' WHERE ORG AND seq = K`,
      );
    },
    kind: "edited_content",
  },
  {
    id: "T40",
    does: "the beginning is deleted",
    damage: (forger) => forger.sql(`DELETE FROM events WHERE ORG AND seq < ${forger.plan.pruned}`),
    kind: "deleted_row",
    at: () => 0,
  },
  {
    id: "T41",
    does: "the same with a forged record of a pruning",
    damage: (forger) => forger.forgePrune(forger.plan.pruned),
    kind: "unauthorised_prune",
    at: ({ pruned }) => pruned,
  },
  {
    id: "T42",
    does: "a pruning's frontier is changed",
    damage: async (forger) => {
      await forger.prune(forger.plan.pruned);
      await forger.sql("UPDATE prunes SET frontier[1] = sha256('x') WHERE ORG");
    },
    kind: "bad_prune_record",
    at: ({ pruned }) => pruned,
  },
  {
    id: "T43",
    does: "a pruning's chain hash is changed",
    damage: async (forger) => {
      await forger.prune(forger.plan.pruned);
      await forger.sql("UPDATE prunes SET chain_hash = sha256('x') WHERE ORG");
    },
    kind: "edited_content",
    at: ({ pruned }) => pruned,
  },
  {
    id: "T44",
    does: "a leaf in a Merkle tile is changed",
    damage: (forger) =>
      forger.sql(
        "UPDATE tiles SET data = set_byte(data, 96, get_byte(data, 96) # 1) WHERE ORG AND level = 0 AND idx = 3",
      ),
    kind: "merkle_cache_tampered",
    at: () => 771,
  },
  {
    id: "T45",
    does: "all checkpoints are deleted",
    damage: (forger) => forger.sql("DELETE FROM checkpoints WHERE ORG"),
    kind: "missing_checkpoint",
    at: () => 0,
  },
  {
    id: "T46",
    does: "the head is moved on by 5",
    damage: (forger) => forger.sql("UPDATE log_heads SET next_seq = next_seq + 5 WHERE ORG"),
    kind: "truncated_tail",
    at: ({ events }) => events,
  },
  {
    id: "T47",
    does: "the organization is deleted everywhere",
    damage: (forger) =>
      forger.sql(
        ...[...tables, ...lists, "log_heads"].map((table) => `DELETE FROM ${table} WHERE ORG`),
      ),
    kind: "missing_log",
    at: () => 0,
  },
  {
    id: "T48",
    does: "an old backup is restored, then written to and signed",
    damage: async (forger) => {
      const { step, seed } = forger.plan;
      const written = 3 * step + Math.ceil(step / 10);
      await forger.truncate(written);
      await forger.sql(
        `DELETE FROM checkpoints WHERE ORG AND tree_size > ${3 * step}`,
        `UPDATE events SET metadata = '{"after": "the restore"}' WHERE ORG AND seq >= ${3 * step}`,
      );
      await forger.rechain(3 * step);
      await forger.followAnew();
      await forger.sign([written], seed);
    },
    kind: null,
    elsewhere: "receipt_mismatch",
  },
  {
    id: "T49",
    does: "an event that never happened is sent in, well-formed",
    damage: async (forger) => {
      await forger.append("user.signed_in", { forged: "true" });
    },
    kind: null,
  },
  {
    id: "T50",
    does: "as T27, signed with the stolen key at other sizes only",
    damage: async (forger) => {
      await rewrite(forger);
      await forger.sql("DELETE FROM checkpoints WHERE ORG AND tree_size > K");
      await forger.sign([forger.plan.events - forger.plan.tail + 7], forger.plan.seed);
    },
    kind: null,
    elsewhere: "forked_checkpoint",
  },
  edit("T51", "metadata is removed", "metadata = NULL"),
  {
    id: "T52",
    does: "the log's origin is changed",
    damage: (forger) =>
      forger.sql("UPDATE log_heads SET origin = 'audit.example.com/other' WHERE ORG"),
    kind: "wrong_origin",
    at: () => 0,
  },
  {
    id: "T53",
    does: "the event that allowed an erasure is deleted",
    damage: async (forger) => {
      const { k, events } = forger.plan;
      await forger.announceErasure(k);
      await forger.eraseActor(k);
      await forger.truncate(events);
    },
    kind: "unauthorised_erasure",
  },
  {
    id: "C1",
    does: "control: a number is spelt otherwise",
    damage: (forger) =>
      forger.sql(
        `UPDATE events SET metadata = (regexp_replace(metadata::text, ': (\\d+)([,}])', ': \\1.000\\2'))::jsonb
         WHERE ORG AND seq = K`,
      ),
    kind: null,
  },
  {
    id: "C2",
    does: "control: an erasure that is allowed",
    damage: async (forger) => {
      await forger.announceErasure(forger.plan.k);
      await forger.eraseActor(forger.plan.k);
    },
    kind: null,
  },
  {
    id: "C3",
    does: "control: a pruning that is allowed",
    damage: (forger) => forger.prune(forger.plan.pruned),
    kind: null,
  },
  {
    id: "C4",
    does: "control: a pruning below two checkpoints, and an erasure after it",
    damage: async (forger) => {
      await forger.prune(2 * forger.plan.step + 11);
      const seq = Math.floor(forger.plan.events / 2);
      await forger.announceErasure(seq);
      await forger.eraseActor(seq);
    },
    kind: null,
  },
  {
    id: "P1",
    does: "a row is removed from event_targets",
    damage: (forger) => forger.sql("DELETE FROM event_targets WHERE ORG AND seq = K"),
    kind: "projection_mismatch",
  },
  {
    id: "P2",
    does: "a row is added to event_targets",
    damage: (forger) =>
      forger.sql(
        `INSERT INTO event_targets SELECT organization_id, 'user', 'bob', occurred_at, seq, recorded_at
         FROM event_targets WHERE ORG AND seq = K LIMIT 1`,
      ),
    kind: "projection_mismatch",
  },
  ...lists.slice(0, 2).map(
    (table, at): DrillCase => ({
      id: `P${3 + at}`,
      does: `a count in ${table} is changed`,
      damage: (forger) =>
        forger.sql(
          `UPDATE ${table} SET events = events + 1 WHERE ctid IN (SELECT ctid FROM ${table} WHERE ORG LIMIT 1)`,
        ),
      kind: "projection_mismatch",
      at: () => -1,
    }),
  ),
];
