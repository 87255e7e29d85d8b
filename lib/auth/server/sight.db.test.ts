import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { followTiles } from "@/lib/chain/server/tiles";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { fields } from "@/lib/events/fields";
import { EMPTY_FILTER, type EventFilter } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import { readColumnValues } from "@/lib/events/server/column-values";
import { streamCsv } from "@/lib/events/server/csv";
import { readFacets, readMetadataKeys } from "@/lib/events/server/facets";
import { filterOf } from "@/lib/events/server/filter-of";
import { findSubjects } from "@/lib/events/server/find-subjects";
import { getEvent } from "@/lib/events/server/get-event";
import { readHistogram } from "@/lib/events/server/histogram";
import { hasSentEvents } from "@/lib/events/server/ingestion-status";
import { listEvents } from "@/lib/events/server/list";
import { readSight } from "@/lib/events/server/read-sight";
import { readOldest, readRestored } from "@/lib/events/server/restored";
import { followRollups } from "@/lib/events/server/rollups";
import { selectedEvents } from "@/lib/events/server/selected-events";
import { readHeadSeq, readTail } from "@/lib/events/server/tail";
import { streamTail } from "@/lib/events/server/tail-stream";
import { appendEvents, createTestLog, newEvent } from "@/lib/events/server/test-log";
import { countDays, describeSubject, readTimeline, readUsual } from "@/lib/events/server/timeline";
import { readValues } from "@/lib/events/server/values";
import { HIDDEN, hideables } from "@/lib/events/sight";
import type { Subject } from "@/lib/events/subject";
import { readEventProof } from "@/lib/integrity/server/event-proof";
import { readVerifiedTo } from "@/lib/integrity/server/log-status";
import { readPageProofs } from "@/lib/integrity/server/page-proofs";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { findDefaultView, findView, listViews } from "@/lib/views/server/views";
import { access, type OrganizationAccessKey } from "../access";
import { SIGHT_PERMISSIONS } from "../roles";
import type { Scope } from "../scope";
import { routeOf, type Source, sourcesUnder } from "../test-sources";
import { systemScope } from "./system-scope";

/** In every event outside the restriction, and in every hidden field of those within. */
const CANARY = "canary";
const EVENTS = 40;

let db: TestDatabase;
let directory: string;
let log: string;
let rows: { seq: number; id: string; action: string; recorded_at: Date }[];

beforeAll(async () => {
  db = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-signer-"));
  log = await createTestLog(db);
  const minute = (at: number) => new Date(Date.UTC(2026, 0, 2) + at * 60_000).toISOString();
  await appendEvents(
    log,
    Array.from({ length: EVENTS }, (_, at) =>
      at % 2 === 0
        ? newEvent({
            action: "billing.paid",
            occurredAt: minute(at),
            actor: {
              type: "user",
              id: "usr_seen",
              name: `${CANARY} name`,
              metadata: { note: CANARY },
              email: `${CANARY}@example.com`,
            },
            targets: [
              { type: "invoice", id: "inv_seen", name: CANARY, metadata: { note: CANARY } },
            ],
            context: { location: `${CANARY}.host`, user_agent: CANARY, via: CANARY },
            metadata: { [`${CANARY}_key`]: CANARY },
          })
        : newEvent({
            action: at % 4 === 1 ? `${CANARY}.done` : "trailseal.event_viewed",
            occurredAt: minute(at),
            actor: { type: `${CANARY}_type`, id: "usr_seen", name: `${CANARY} name` },
            targets: [
              { type: `${CANARY}_type`, id: "inv_seen" },
              { type: "invoice", id: `${CANARY}_id` },
            ],
            context: { location: `${CANARY}.host`, user_agent: CANARY },
            metadata: { [`${CANARY}_key`]: CANARY },
          }),
    ),
  );
  await followTiles(log);
  await followRollups(log);
  await cutCheckpoint(log, { directory, seed: Buffer.alloc(32, 5) });
  const found = await db.owner.query(
    "SELECT seq::int, id, action, recorded_at FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  rows = found.rows;
  await db.owner.query(
    `INSERT INTO users (id, email, name, password_hash) VALUES ('user_1', 'a@example.com', 'A', '')`,
  );
  await db.owner.query(
    `INSERT INTO saved_views (organization_id, id, owner_id, name, is_shared, search, layout)
     VALUES ($1, 'view_1', 'user_1', $2, true, 'q=${CANARY}', '{}')`,
    [log, CANARY],
  );
  await db.owner.query(
    `INSERT INTO saved_view_marks (organization_id, user_id, view_id, is_starred, is_default)
     VALUES ($1, 'user_2', 'view_1', true, true)`,
    [log],
  );
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await db.close();
});

function seeing(filter: string | null, hidden: readonly string[]): Scope {
  const sight = readSight({ filter, hidden });
  if (!sight) throw new Error("unreadable");
  const principal = { kind: "user" as const, id: "user_2", email: "b@example.com", sessionId: "" };
  return { ...systemScope("cli", log), principal, sight };
}

const PERSONAL = hideables.filter((name) => name !== "actor" && name !== "target");
const SIGHTS: [string, () => Scope][] = [
  ["an indexed filter", () => seeing("action:billing.*", PERSONAL)],
  ["a filter without an index", () => seeing("-action:*ary.*", PERSONAL)],
  ["a filter on what is hidden", () => seeing("actor.type:user has:metadata.canary_key", PERSONAL)],
  ["a filter on a target", () => seeing("target.type:invoice -target:canary_id", PERSONAL)],
];

const everything = { filter: EMPTY_FILTER, from: null, to: null };
const subjects: Subject[] = [
  { role: "actor", type: "user", id: "usr_seen" },
  { role: "target", type: "invoice", id: "inv_seen" },
  { role: "actor", type: `${CANARY}_type`, id: "usr_seen" },
  { role: "target", type: `${CANARY}_type`, id: "inv_seen" },
  { role: "target", type: "invoice", id: `${CANARY}_id` },
];
/** What does not ask for what is hidden, wide and narrow. */
const filters: EventFilter[] = [
  "",
  "actor:usr_seen",
  "target:inv_seen",
  `target:${CANARY}_id`,
  `action:(billing.paid OR ${CANARY}.done)`,
  "-action:x",
  `target.type:${CANARY}_type`,
].map(filterOf);
/** One after the other: few downloads may run at once. */
async function each<T, R>(all: readonly T[], read: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (const one of all) answers.push(await read(one));
  return answers;
}
const visibleFields = () =>
  fields
    .filter(({ id }) => !(PERSONAL as readonly string[]).includes(id))
    .map(({ id }) => fieldRef(id));

/** Every read of the places that a viewer with a sight reaches, by the name of its function. */
const READS: Record<string, (scope: Scope) => Promise<unknown>> = {
  listEvents: (scope) => each(filters, (filter) => listEvents(scope, { filter, limit: 100 })),
  getEvent: (scope) => each(rows, ({ id }) => getEvent(scope, id)),
  hasSentEvents,
  readColumnValues: (scope) =>
    readColumnValues(
      scope,
      rows.map(({ seq, recorded_at }) => ({ seq, recordedAt: recorded_at.toISOString() })),
      [...fields.map(({ id }) => fieldRef(id)), fieldRef("metadata", `${CANARY}_key`)],
    ),
  selectedEvents: (scope) =>
    each(["csv", "json"] as const, (format) =>
      selectedEvents(
        scope,
        rows.map(({ id }) => id),
        format,
      ),
    ),
  streamCsv: (scope) => each(filters, async (filter) => text(await streamCsv(scope, { filter }))),
  readFacets: (scope) =>
    each(filters, (filter) => readFacets(scope, { ...everything, filter }, visibleFields())),
  readMetadataKeys: (scope) => readMetadataKeys(scope, everything).catch(String),
  readValues: (scope) =>
    each(["", "c", "u", "i", "b", CANARY], (typed) =>
      each(visibleFields(), (field) => readValues(scope, field, typed)),
    ),
  findSubjects: (scope) =>
    each(["actor", "target"] as const, (role) =>
      each(["", "usr", "inv", CANARY, "hidden"], (typed) =>
        findSubjects(scope, { role, text: typed }),
      ),
    ),
  readHistogram: (scope) =>
    each(filters, (filter) => readHistogram(scope, { ...everything, filter, zone: "UTC" })),
  readOldest,
  readRestored: (scope) =>
    each(filters, (filter) => readRestored(scope, { ...everything, filter })),
  readTail: (scope) =>
    each(filters, (filter) => readTail(scope, { filter, from: () => null }, -1, EVENTS - 1)),
  streamTail: async (scope) => {
    const limits = { heartbeatMs: 10_000, permitMs: 10_000, maxOpenMs: 700 };
    const request = { filter: EMPTY_FILTER, from: () => null };
    const stream = streamTail(scope, request, -1, async (held) => held, limits);
    return text(stream as never);
  },
  readHeadSeq,
  readVerifiedTo,
  readTimeline: (scope) =>
    each(subjects, (subject) =>
      readTimeline(scope, { subject, lane: null, filter: EMPTY_FILTER, limit: 100 }),
    ),
  describeSubject: (scope) => each(subjects, (subject) => describeSubject(scope, subject)),
  countDays: (scope) =>
    each(subjects, (subject) =>
      countDays(scope, { subject, lane: null, filter: EMPTY_FILTER }, [
        "2026-01-01T00:00:00.000Z",
        "2026-01-03T00:00:00.000Z",
      ]),
    ),
  readUsual: (scope) => each(subjects, (subject) => readUsual(scope, subject)),
  readEventProof: (scope) => each(rows, ({ id }) => readEventProof(scope, id).catch(String)),
  readPageProofs: (scope) =>
    readPageProofs(
      scope,
      rows.map(({ seq }) => seq),
    ).catch(String),
  listViews,
  findView: (scope) => findView(scope, "view_1"),
  findDefaultView,
};

/** What those places call besides, that reads no events. */
const READS_NONE = [
  ...[
    "searchOf",
    "storedSight",
    "whyRefused",
    "subjectSearchSchema",
    "cursorBefore",
    "vkeyOfProof",
    "eventDeliveries",
    "listOrganizationsOf",
    "readBranding",
  ],
  ...["createView", "deleteView", "markView", "updateView"],
  ...["recordSearch", "recordView", "recordTimeline", "recordDownload", "searchWords"],
  // Only where no sight is set, or with permissions that a sight leaves none of.
  ...[
    "readTrailMarks",
    "readClocks",
    "readBreak",
    "readRefusal",
    "readStreamAlarms",
    "readLogHead",
  ],
];

test.each(SIGHTS)("with %s no read says anything of what is not seen", async (_name, scope) => {
  for (const [name, read] of Object.entries(READS)) {
    const answer = JSON.stringify(await read(scope())) ?? "";
    const said = answer
      // What was asked for stands in the answer of a facet.
      .replaceAll(`"value":"${CANARY}_id","name":null,"count":0`, "")
      .replaceAll(`"value":"${CANARY}.done","name":null,"count":0`, "")
      .replaceAll(`"value":"${CANARY}_type","name":null,"count":0`, "")
      .replaceAll(/Event not found: '\w+'/g, "");
    expect(said, name).not.toContain(CANARY);
  }
});

test("the canary is there to be found: without a sight the same reads say it", async () => {
  const { sight: _, ...scope } = seeing(null, []);
  const silent: string[] = [];
  for (const [name, read] of Object.entries(READS))
    if (!(JSON.stringify(await read(scope as Scope)) ?? "").includes(CANARY)) silent.push(name);
  expect(silent).toEqual([
    ...["hasSentEvents", "readHistogram", "readOldest", "readRestored", "readHeadSeq"],
    ...["readVerifiedTo", "countDays"],
  ]);
});

test.each(SIGHTS)("with %s counts are those of what is seen", async (_name, scope) => {
  const held = scope();
  const seen = EVENTS / 2;
  const page = await listEvents(held, { filter: EMPTY_FILTER, limit: 100 });
  expect(page).toMatchObject({ next: null, searchedTo: null });
  expect(page.rows.map(({ action }) => action)).toEqual(Array(seen).fill("billing.paid"));
  const [facet] = await readFacets(held, everything, [fieldRef("action")]);
  expect(facet?.values).toEqual([{ value: "billing.paid", name: null, count: seen }]);
  const histogram = await readHistogram(held, { ...everything, zone: "UTC" });
  expect(histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(seen);
  expect(histogram?.floorMs).toBe(Date.parse(page.rows.at(-1)?.occurredAt as string));
  const [days, others] = await Promise.all(
    [subjects[0], subjects[3]].map((subject) =>
      countDays(held, { subject: subject as Subject, lane: null, filter: EMPTY_FILTER }, [
        "2026-01-01T00:00:00.000Z",
        "2026-01-03T00:00:00.000Z",
      ]),
    ),
  );
  expect(days).toMatchObject({ did: [seen], countedFrom: null });
  expect(others).toMatchObject({ done: [0] });
  const restored = await readRestored(held, { ...everything, filter: filterOf("action:x") });
  expect(restored).toMatchObject([{ matches: seen }]);
});

test.each(SIGHTS)(
  "with %s an event outside answers as an id that never was",
  async (_name, scope) => {
    const outside = rows.find(({ action }) => action.startsWith(CANARY)) as (typeof rows)[number];
    expect(await getEvent(scope(), outside.id)).toBeNull();
    const never = `audit_event_${"0".repeat(26)}`;
    const answerTo = (id: string) =>
      readEventProof(scope(), id).catch((error) => [error.code, error.message.replace(id, "")]);
    expect(await answerTo(outside.id)).toEqual(await answerTo(never));
    const held = seeing("action:billing.*", []);
    expect((await readPageProofs(held, [outside.seq])).proofs).toEqual([]);
  },
);

test("what is hidden cannot be asked for: not by filters, free text, facets, values or timelines", async () => {
  const held = seeing(null, hideables);
  const asks = [
    ...["actor:x", "-actor.name:x*", "has:actor.metadata.note", "target:x", "target.name:*x*"],
    ...["ip:10.0.0.0/8", "has:agent", "metadata.a:>1", "canary", '-"canary"'],
  ];
  for (const ask of asks) {
    const filter = filterOf(ask);
    const refused = { code: "invalid_filter", message: expect.stringContaining("hidden for you") };
    const request = { ...everything, filter };
    await expect(listEvents(held, request), ask).rejects.toMatchObject(refused);
    await expect(streamCsv(held, request), ask).rejects.toMatchObject(refused);
    await expect(readHistogram(held, { ...request, zone: "UTC" })).rejects.toMatchObject(refused);
    await expect(
      readRestored(held, { ...request, from: "2026-01-01T00:00:00.000Z" }),
    ).rejects.toMatchObject(refused);
    const tail = { filter, from: () => null };
    await expect(readTail(held, tail, -1, EVENTS - 1), ask).rejects.toMatchObject(refused);
  }
  for (const { id } of fields.filter(({ id }) => (hideables as readonly string[]).includes(id))) {
    const refused = { code: "invalid_filter", message: `${id} is hidden for you.` };
    await expect(readFacets(held, everything, [fieldRef(id)])).rejects.toMatchObject(refused);
    await expect(readValues(held, fieldRef(id), "c")).rejects.toMatchObject(refused);
  }
  for (const subject of subjects.slice(0, 2))
    for (const read of [describeSubject, readUsual])
      await expect(read(held, subject)).rejects.toMatchObject({ code: "invalid_filter" });
  for (const role of ["actor", "target"] as const)
    await expect(findSubjects(held, { role, text: "" })).rejects.toMatchObject({
      code: "invalid_filter",
    });
});

test("what is hidden shows as such at every place of an event, erased participants as erased", async () => {
  const held = seeing(null, hideables);
  const [first] = rows as [(typeof rows)[number]];
  expect(await getEvent(held, first.id)).toMatchObject({
    actor: { type: "user", id: HIDDEN, name: HIDDEN },
    targets: [{ type: "invoice", id: HIDDEN, name: HIDDEN }],
    location: HIDDEN,
    event: {
      action: "billing.paid",
      actor: { id: HIDDEN, type: "user", name: HIDDEN, metadata: HIDDEN },
      targets: [{ id: HIDDEN, type: "invoice", name: HIDDEN, metadata: HIDDEN }],
      context: { location: HIDDEN, user_agent: HIDDEN },
      metadata: HIDDEN,
    },
  });
  const [line] = (await text(await streamCsv(held, everything))).trim().split("\n").slice(1);
  expect(line).toContain(HIDDEN);
  expect(await readSight({ filter: null, hidden: ["shoe_size"] })).toBeNull();
  expect(await readSight({ filter: "shoe_size:43", hidden: [] })).toBeNull();
});

const places = (Object.keys(access) as (keyof typeof access)[]).filter(
  (key): key is OrganizationAccessKey =>
    access[key].who === "organization" && SIGHT_PERMISSIONS.has(access[key].permission),
);

/** Functions that a source imports from the server's folders, apart from who may come. */
const readsIn = ({ text: source }: Source): string[] =>
  [...source.matchAll(/import \{([^}]+)\} from "@\/lib\/(?!auth|http)[\w/-]+\/server\/[\w-]+"/g)]
    .flatMap(([, names = ""]) => names.split(","))
    .map((name) => name.trim())
    .filter((name) => /^[a-z]/.test(name) && !name.startsWith("type "));

test("no place that a viewer with a sight reaches reads by a function that is not tried here", () => {
  const root = path.resolve(import.meta.dirname, "../../..");
  const sources = sourcesUnder(root, "app").filter(({ file, text: source }) => {
    const name = path.basename(file);
    if (name === "page.tsx") return places.some((key) => key === `page:${routeOf(file)}`);
    if (name === "route.ts") return places.some((key) => key === `handler:${routeOf(file)}`);
    if (name === "actions.ts") return places.some((key) => source.includes(`"${key}"`));
    return ["layout.tsx", "first-event.tsx", "clock-alarm.tsx"].includes(name);
  });
  expect(sources.length).toBeGreaterThan(15);
  const read = [...new Set(sources.flatMap(readsIn))];
  expect(read.filter((name) => !(name in READS) && !READS_NONE.includes(name))).toEqual([]);
});
