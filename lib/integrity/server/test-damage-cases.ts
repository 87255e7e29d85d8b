import type { DamageKind } from "../schema";
import { copyOf, EVENTS, MAKE_ROOM } from "./test-damage";

// The T numbers are those of the specification's tamper cases.

export interface Case {
  id: string;
  sql: string[];
  kind: DamageKind;
  seq?: number;
}

const EDIT = "UPDATE events SET";
export const edits: Case[] = [
  { id: "T01", sql: [`${EDIT} action = 'user.signed_out'`], kind: "edited_content" },
  {
    id: "T02",
    sql: [`${EDIT} metadata = jsonb_set(metadata, '{amount}', '1')`],
    kind: "edited_content",
  },
  {
    id: "T03",
    sql: [`${EDIT} actor = jsonb_set(actor, '{id}', '"user_1x"')`],
    kind: "edited_content",
  },
  {
    id: "T04",
    sql: [`${EDIT} occurred_at = occurred_at + interval '1 ms'`],
    kind: "edited_content",
  },
  {
    id: "T05",
    sql: [`${EDIT} recorded_at = recorded_at + interval '1 ms'`],
    kind: "edited_content",
  },
  {
    id: "T06 moves partition",
    sql: [`${EDIT} recorded_at = recorded_at + interval '1 month'`],
    kind: "edited_content",
  },
  { id: "T07", sql: [`${EDIT} context = context - 'location'`], kind: "edited_content" },
  {
    id: "T08",
    sql: [`${EDIT} targets = jsonb_set(targets, '{0,name}', '"Z"')`],
    kind: "edited_content",
  },
  {
    id: "T09",
    sql: [
      `${EDIT} targets = targets || '[{"id":"u","type":"user"}]', salts = salts || decode(repeat('00', 16), 'hex')`,
    ],
    kind: "edited_content",
  },
  {
    id: "T09 without a salt",
    sql: [`${EDIT} targets = targets || '[{"id":"u","type":"user"}]'`],
    kind: "edited_content",
  },
  { id: "targets no list", sql: [`${EDIT} targets = '{"id":"u"}'`], kind: "edited_content" },
  {
    id: "a number beyond doubles",
    sql: [`${EDIT} metadata = '{"n": 1e400}'`],
    kind: "edited_content",
  },
  { id: "T10", sql: [`${EDIT} version = 2`], kind: "edited_content" },
  { id: "T11", sql: [`${EDIT} id = 'evt_other'`], kind: "edited_content" },
  {
    id: "T12",
    sql: [`${EDIT} salts = set_byte(salts, 0, get_byte(salts, 0) # 1)`],
    kind: "edited_content",
  },
  { id: "T13", sql: [`${EDIT} chain_hash = sha256('x')`], kind: "edited_hash" },
  { id: "T13 shortened", sql: [`${EDIT} chain_hash = '\\x00'`], kind: "edited_hash" },
  { id: "T36", sql: [`${EDIT} actor = NULL`], kind: "edited_content" },
  {
    id: "T38",
    sql: [
      `${EDIT} actor = NULL, erased = jsonb_build_object('actor', repeat('00', 32)),
       salts = decode(repeat('00', 16), 'hex') || substr(salts, 17)`,
    ],
    kind: "edited_content",
  },
  { id: "T51", sql: [`${EDIT} metadata = NULL`], kind: "edited_content" },
].map((entry) => ({
  ...entry,
  sql: entry.sql.map((sql) => `${sql} WHERE ORG AND seq = K`),
})) as Case[];

const RENUMBER_DOWN = "UPDATE events SET seq = seq - 1 WHERE ORG AND seq > K";
export const structure: Case[] = [
  { id: "T15", sql: ["DELETE FROM events WHERE ORG AND seq = K"], kind: "deleted_row" },
  {
    id: "T16",
    sql: ["DELETE FROM events WHERE ORG AND seq BETWEEN K AND K + 99"],
    kind: "deleted_row",
  },
  {
    id: "T17",
    sql: [
      "DELETE FROM events WHERE ORG AND seq = K",
      RENUMBER_DOWN,
      "UPDATE log_heads SET next_seq = next_seq - 1 WHERE ORG",
    ],
    kind: "deleted_row",
  },
  {
    id: "T19",
    sql: [...MAKE_ROOM, copyOf("K - 1", { seq: "K" })],
    kind: "inserted_row",
  },
  {
    id: "T20",
    sql: [copyOf("K", { seq: "K", recordedAt: "recorded_at + interval '1 ms'" })],
    kind: "inserted_row",
  },
  {
    id: "T20 with the honest row's hash",
    sql: [
      copyOf("K", { seq: "K", recordedAt: "recorded_at - interval '1 ms'", hash: "chain_hash" }),
    ],
    kind: "inserted_row",
  },
  {
    id: "T21",
    sql: [
      "UPDATE events SET seq = -1 WHERE ORG AND seq = K",
      "UPDATE events SET seq = K WHERE ORG AND seq = K + 1",
      "UPDATE events SET seq = K + 1 WHERE ORG AND seq = -1",
    ],
    kind: "reordered",
  },
  {
    id: "T21 in a circle of three",
    sql: [
      "UPDATE events SET seq = -1 WHERE ORG AND seq = K",
      "UPDATE events SET seq = K WHERE ORG AND seq = K + 2",
      "UPDATE events SET seq = K + 2 WHERE ORG AND seq = K + 1",
      "UPDATE events SET seq = K + 1 WHERE ORG AND seq = -1",
    ],
    kind: "reordered",
  },
  {
    id: "T22",
    sql: [
      `UPDATE events a SET action = b.action, id = b.id, occurred_at = b.occurred_at, actor = b.actor,
         targets = b.targets, context = b.context, metadata = b.metadata, salts = b.salts, ip = b.ip
       FROM events b WHERE a.organization_id = LOG AND b.organization_id = LOG
         AND a.seq IN (K, K + 3) AND b.seq = 2 * K + 3 - a.seq`,
    ],
    kind: "edited_content",
  },
  {
    id: "T23",
    sql: [`DELETE FROM events WHERE ORG AND seq >= ${EVENTS - 10}`],
    kind: "truncated_tail",
    seq: EVENTS - 10,
  },
  {
    id: "T24, which the followers remember",
    sql: [
      `DELETE FROM events WHERE ORG AND seq >= ${EVENTS - 10}`,
      `UPDATE log_heads h SET next_seq = ${EVENTS - 10}, head_hash = e.chain_hash, last_recorded_at = e.recorded_at
       FROM events e WHERE h.organization_id = LOG AND e.organization_id = LOG AND e.seq = ${EVENTS - 11}`,
    ],
    kind: "truncated_tail",
    seq: EVENTS - 10,
  },
  { id: "T40", sql: ["DELETE FROM events WHERE ORG AND seq < 100"], kind: "deleted_row", seq: 0 },
  {
    id: "a number below the first",
    sql: [copyOf("K", { seq: "-7" })],
    kind: "inserted_row",
    seq: -7,
  },
  {
    id: "a number far beyond the last",
    sql: [copyOf("K", { seq: "90000000000" })],
    kind: "inserted_row",
    seq: 90_000_000_000,
  },
  {
    id: "a row put behind the last",
    sql: [copyOf("K", { seq: String(EVENTS) })],
    kind: "inserted_row",
    seq: EVENTS,
  },
  {
    id: "T44",
    sql: [
      "UPDATE tiles SET data = set_byte(data, 71 * 32, get_byte(data, 71 * 32) # 1) WHERE ORG AND idx = 1",
    ],
    kind: "merkle_cache_tampered",
    seq: 256 + 71,
  },
  {
    id: "a tile's root",
    sql: ["UPDATE tiles SET root = sha256('x') WHERE ORG AND idx = 1"],
    kind: "merkle_cache_tampered",
    seq: 256,
  },
  {
    id: "a tile removed",
    sql: ["DELETE FROM tiles WHERE ORG AND idx = 1"],
    kind: "merkle_cache_tampered",
    seq: 256,
  },
  {
    id: "T46",
    sql: ["UPDATE log_heads SET next_seq = next_seq + 5 WHERE ORG"],
    kind: "truncated_tail",
    seq: EVENTS,
  },
  {
    id: "the head's hash",
    sql: ["UPDATE log_heads SET head_hash = sha256('x') WHERE ORG"],
    kind: "truncated_tail",
    seq: EVENTS,
  },
  {
    id: "the head's time",
    sql: ["UPDATE log_heads SET last_recorded_at = last_recorded_at + interval '1 ms' WHERE ORG"],
    kind: "projection_mismatch",
    seq: EVENTS - 1,
  },
  {
    id: "T47",
    sql: [
      ...["events", "event_targets", "idempotency_keys", "tiles", "rollup_hourly"],
      ...["rollup_actions_daily", "followers", "log_heads"],
    ].map((table) => `DELETE FROM ${table} WHERE ORG`),
    kind: "missing_log",
    seq: 0,
  },
  {
    id: "T52",
    sql: ["UPDATE log_heads SET origin = 'audit.example.com/other' WHERE ORG"],
    kind: "wrong_origin",
    seq: 0,
  },
  {
    id: "T52 with this organization's name",
    sql: ["UPDATE log_heads SET origin = 'audit.example.com/other/' || LOG WHERE ORG"],
    kind: "wrong_origin",
    seq: 0,
  },
];

export const derived: Case[] = [
  {
    id: "a row removed from event_targets",
    sql: ["DELETE FROM event_targets WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
  {
    id: "a row added to event_targets",
    sql: [
      `INSERT INTO event_targets SELECT organization_id, 'user', 'bob', occurred_at, seq, recorded_at
       FROM event_targets WHERE ORG AND seq = K LIMIT 1`,
    ],
    kind: "projection_mismatch",
  },
  {
    id: "a row of event_targets for no event",
    sql: [
      `INSERT INTO event_targets SELECT organization_id, target_type, target_id, occurred_at, 5000, recorded_at
       FROM event_targets WHERE ORG AND seq = K LIMIT 1`,
    ],
    kind: "projection_mismatch",
    seq: 5000,
  },
  {
    id: "event_targets with another time",
    sql: [
      "UPDATE event_targets SET occurred_at = occurred_at - interval '1 day' WHERE ORG AND seq = K",
    ],
    kind: "projection_mismatch",
  },
  {
    id: "event_targets with another recorded_at",
    sql: [
      "UPDATE event_targets SET recorded_at = recorded_at + interval '1 ms' WHERE ORG AND seq = K",
    ],
    kind: "projection_mismatch",
  },
  {
    id: "event_targets renamed",
    sql: ["UPDATE event_targets SET target_id = 'other' WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
  {
    id: "the ip column",
    sql: ["UPDATE events SET ip = '192.0.2.1' WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
  {
    id: "no ip column",
    sql: ["UPDATE events SET ip = NULL WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
];
