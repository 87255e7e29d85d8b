import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { visit } from "./denial/visitor";
import { expect, test } from "./fixtures";
import { parseCsv } from "./fixtures/csv";
import { eventsForTests, importEvents } from "./fixtures/log";
import { newPortalLink } from "./fixtures/portal";
import { parseConcatenated } from "./fixtures/receiver";

/** The vendor's schema of an event, of which the tests have no copy of their own. */
const SCHEMA = path.join(process.env.TRAILSEAL_TEST_DATA ?? "../shared/data", "event.schema.json");

type Event = { id: string; action: string } & Record<string, unknown>;

const COUNT = 60;
/** What is easily lost on the way: no name, no context, values of every kind, text that needs quoting. */
const ODD = [
  {
    action: "odd.bare",
    occurred_at: "2026-03-02T07:00:00Z",
    actor: { type: "user", id: "u" },
    targets: [],
  },
  {
    action: "odd.full",
    version: 3,
    occurred_at: "2026-03-02T07:00:00.001Z",
    actor: { type: "user", id: "=1+1", name: null, metadata: { admin: true, age: 3.5, note: "" } },
    targets: [{ type: "doc", id: 'a,"b"\n', name: "Ünï ☃ 𝄞", metadata: { pages: 0 } }],
    context: { location: "internal", user_agent: "two\r\nlines" },
    metadata: { dry: false, "key-with_both": "'quoted'", big: 9007199254740991 },
  },
];

/** A row of a file back to the event that it was. */
function fromRow(row: Record<string, string>): Event {
  const json = (name: string) => (row[name] ? JSON.parse(row[name] as string) : undefined);
  const actor = { type: row.actor_type, id: row.actor_id };
  return JSON.parse(
    JSON.stringify({
      id: row.id,
      organization_id: row.organization_id,
      action: row.action,
      version: Number(row.version),
      occurred_at: row.occurred_at,
      actor: { ...actor, name: row.actor_name || undefined, metadata: json("actor_metadata") },
      targets: json("targets"),
      context: json("context"),
      metadata: json("metadata"),
    }),
  );
}

/** Whatever is posted to it, as text. */
async function startSink() {
  const bodies: string[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const isGzip = request.headers["content-encoding"] === "gzip";
    bodies.push((isGzip ? gunzipSync(body) : body).toString("utf8"));
    response.end(JSON.stringify({ text: "Success", code: 0 }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("an event is the same by every door it leaves by, and keeps the vendor's schema", async ({
  server,
  organization,
  playwright,
}) => {
  test.skip(!existsSync(SCHEMA), `skipped without ${SCHEMA}`);
  const { id } = organization;
  await importEvents(server, id, [...eventsForTests(COUNT), ...ODD]);
  const all = COUNT + ODD.length;
  const options = ["--name", "doors", "--permissions", "events:read,exports", "--org", id];
  const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
  const get = async (address: string) => {
    const response = await fetch(server.url + address, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(response.status, address).toBe(200);
    return response.json();
  };

  const doors = new Map<string, Event[]>();
  const { data } = (await get(
    `/v1/events?organization_id=${id}&limit=500&q=-action:trailseal.*`,
  )) as {
    data: { event: Event }[];
  };
  doors.set(
    "list",
    data.map(({ event }) => event),
  );
  const single = data.map(
    ({ event }) => get(`/v1/events/${event.id}?organization_id=${id}`) as Promise<{ event: Event }>,
  );
  doors.set(
    "one by one",
    (await Promise.all(single)).map(({ event }) => event),
  );

  const visitor = await visit(playwright, server);
  await visitor.get(await newPortalLink(server, id, "audit_logs"));
  const file = await visitor.get(`/o/${id}/events/csv?raw=1&q=-action:trailseal.*`);
  doors.set("CSV of the portal", parseCsv(await file.text()).map(fromRow));

  const sinks = await Promise.all([startSink(), startSink()]);
  try {
    const [webhook, splunk] = sinks;
    const add = ["streams", "add", "--org", id, "--name", "s", "--destination"];
    const made = [
      await server.cli(...add, "webhook", "--url", `${webhook.url}/hook`),
      await server.cliWith(
        "token",
        ...add,
        "splunk",
        "--url",
        splunk.url,
        "--secret-stdin",
        "token",
      ),
    ];
    expect(made.map(({ code, stderr }) => code || stderr)).toEqual(["", ""]);
    // Without what the log tells of its streams and checkpoints.
    const withoutOwn = (found: { event: Event }[]) =>
      found.filter(({ event }) => !event.action.startsWith("trailseal."));
    const items = () =>
      withoutOwn(webhook.bodies.flatMap((body) => JSON.parse(body) as { event: Event }[]));
    const objects = () =>
      withoutOwn(splunk.bodies.flatMap((body) => parseConcatenated(body) as { event: Event }[]));
    await expect.poll(() => [items().length, objects().length]).toEqual([all, all]);
    doors.set(
      "webhook",
      items().map(({ event }) => event),
    );
    doors.set(
      "Splunk",
      objects().map(({ event: { seq: _, chain_hash: __, recorded_at: ___, ...event } }) => event),
    );
  } finally {
    for (const sink of sinks) sink.close();
  }

  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")));
  const byId = (events: Event[]) => new Map(events.map((event) => [event.id, event]));
  const expected = byId(doors.get("list") ?? []);
  expect(expected.size).toBe(all);
  for (const [door, events] of doors) {
    for (const event of events)
      expect(validate(event), `${door}: ${ajv.errorsText(validate.errors)}`).toBe(true);
    expect(byId(events), door).toEqual(expected);
  }
});
