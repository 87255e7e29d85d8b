import { describe, expect, test } from "vitest";
import { parseImportedEvent } from "@/lib/events/schema";
import { parseInput } from "@/lib/http/parse-input";
import { compilePattern, mappedTime } from "./mapped-time";
import { type Mapping, mappingSchema, missingColumns, rowMapper } from "./mapping";
import { proposeMapping } from "./propose-mapping";

const mapping = (document: object): Mapping => parseInput(mappingSchema, document);

function map(document: object, row: Record<string, string | null>) {
  const { event, sourceId } = rowMapper(mapping(document), Object.keys(row))(Object.values(row));
  const parsed = parseImportedEvent(event);
  if (!parsed.ok)
    throw new Error(parsed.errors.map(({ field, code }) => `${field} ${code}`).join());
  const { receivedOccurredAt: _, ...stored } = parsed.value;
  return { ...stored, sourceId };
}

describe("files of other systems", () => {
  // Columns of GitHub's "Exporting audit log activity": @timestamp in milliseconds, _document_id.
  test("GitHub's audit log", () => {
    const github = {
      mapping_version: 1,
      source: "github",
      row_id: ["_document_id"],
      action: { column: "action" },
      occurred_at: { column: "@timestamp", format: "epoch_ms" },
      actor: { type: { constant: "user" }, id: { column: "actor_id" }, name: { column: "actor" } },
      targets: [
        { type: { constant: "repository" }, id: { column: "repo" } },
        { type: { constant: "user" }, id: { column: "user" } },
      ],
      context: { location: { column: "actor_ip" }, user_agent: { column: "user_agent" } },
    };
    const row = {
      "@timestamp": "1767323045678",
      _document_id: "Yw8s2A",
      action: "repo.create",
      actor: "octocat",
      actor_id: "583231",
      actor_ip: "198.51.100.7",
      user_agent: "Mozilla/5.0",
      repo: "octo-org/hello",
      user: null,
      org: "octo-org",
      visibility: "private",
    };
    expect(map(github, row)).toEqual({
      action: "repo.create",
      version: 1,
      occurredAt: "2026-01-02T03:04:05.678Z",
      actor: { type: "user", id: "583231", name: "octocat" },
      targets: [{ type: "repository", id: "octo-org/hello" }],
      context: { location: "198.51.100.7", user_agent: "Mozilla/5.0" },
      metadata: { _document_id: "Yw8s2A", org: "octo-org", visibility: "private" },
      sourceId: '["Yw8s2A"]',
    });
  });

  // Columns of the System Log's "Download CSV".
  test("Okta's System Log", () => {
    const okta = {
      mapping_version: 1,
      source: "okta",
      row_id: ["uuid"],
      action: { column: "event_type" },
      occurred_at: { column: "timestamp", format: "iso" },
      actor: {
        type: { column: "actor.type" },
        id: { column: "actor.id" },
        name: { column: "actor.display_name" },
        metadata: { login: { column: "actor.alternate_id" } },
      },
      targets: [
        {
          type: { column: "target0.type" },
          id: { column: "target0.id" },
          name: { column: "target0.display_name" },
        },
        { type: { column: "target1.type" }, id: { column: "target1.id" } },
      ],
      context: { location: { column: "client.ip_address" } },
      metadata: {
        place: {
          template: "{client.geographical_context.city}, {client.geographical_context.country}",
        },
        result: { column: "outcome.result" },
      },
      other_columns: "ignore",
    };
    const row = {
      timestamp: "2026-01-02T03:04:05.678Z",
      "actor.id": "00u1",
      "actor.type": "User",
      "actor.alternate_id": "mei@example.com",
      "actor.display_name": "Mei Lin",
      "client.ip_address": "203.0.113.9",
      "client.geographical_context.city": "Oslo",
      "client.geographical_context.country": "Norway",
      event_type: "user.session.start",
      uuid: "dc9fd3c0-598c-11ef",
      "outcome.result": "SUCCESS",
      "target0.id": "0oa1",
      "target0.type": "AppInstance",
      "target0.display_name": "Dashboard",
      "target1.id": "",
      "target1.type": "",
      severity: "INFO",
    };
    expect(map(okta, row)).toEqual({
      action: "user.session.start",
      version: 1,
      occurredAt: "2026-01-02T03:04:05.678Z",
      actor: {
        type: "User",
        id: "00u1",
        name: "Mei Lin",
        metadata: { login: "mei@example.com" },
      },
      targets: [{ type: "AppInstance", id: "0oa1", name: "Dashboard" }],
      context: { location: "203.0.113.9" },
      metadata: { place: "Oslo, Norway", result: "SUCCESS" },
      sourceId: '["dc9fd3c0-598c-11ef"]',
    });
  });

  // A result of Athena over the table of the CloudTrail User Guide; all names in small letters.
  test("CloudTrail by way of Athena", () => {
    const athena = {
      mapping_version: 1,
      source: "cloudtrail-athena",
      row_id: ["eventid"],
      action: { template: "{eventsource}/{eventname}" },
      occurred_at: { column: "eventtime", format: "iso" },
      actor: { type: { column: "useridentity_type" }, id: { column: "useridentity_arn" } },
      context: { location: { column: "sourceipaddress" }, user_agent: { column: "useragent" } },
    };
    const row = {
      eventid: "e-1",
      eventtime: "2026-01-02T03:04:05Z",
      eventsource: "iam.amazonaws.com",
      eventname: "GetUser",
      useridentity_type: "IAMUser",
      useridentity_arn: "arn:aws:iam::1:user/ada",
      sourceipaddress: "198.51.100.7",
      useragent: "aws-cli/2",
      errorcode: "AccessDenied",
      requestparameters: '{"userName":"ada"}',
    };
    expect(map(athena, row)).toEqual({
      action: "iam.amazonaws.com/GetUser",
      version: 1,
      occurredAt: "2026-01-02T03:04:05.000Z",
      actor: { type: "IAMUser", id: "arn:aws:iam::1:user/ada" },
      targets: [],
      context: { location: "198.51.100.7", user_agent: "aws-cli/2" },
      metadata: {
        eventid: "e-1",
        errorcode: "AccessDenied",
        requestparameters: '{"userName":"ada"}',
      },
      sourceId: '["e-1"]',
    });
  });
});

describe("times", () => {
  test.each([
    ["2026-01-02T03:04:05+0200", "iso", undefined, "2026-01-02T01:04:05.000Z"],
    ["2026-01-02 03:04:05 UTC", "iso", undefined, "2026-01-02T03:04:05.000Z"],
    ["2026-07-02 03:04", "iso", "Europe/Oslo", "2026-07-02T01:04:00.000Z"],
    ["1767323045", "epoch_s", undefined, "2026-01-02T03:04:05.000Z"],
    ["1767323045.678", "epoch_s", undefined, "2026-01-02T03:04:05.678Z"],
    ["02.01.2026 03:04:05", "dd.MM.yyyy HH:mm:ss", "UTC", "2026-01-02T03:04:05.000Z"],
    ["Jan 2, 2026 12:04 AM", "MMM d, yyyy h:mm a", "UTC", "2026-01-02T00:04:00.000Z"],
    ["1/2/2026 at 1:04 pm -05:00", "M/d/yyyy 'at' h:mm a X", undefined, "2026-01-02T18:04:00.000Z"],
    ["2026-10-25 02:30", "iso", "Europe/Oslo", "2026-10-25T00:30:00.000Z"],
  ])("%s as %s in %s", (text, format, zone, expected) => {
    expect(mappedTime(text, format, zone)).toBe(expected);
  });

  test.each([
    ["2026-01-02 03:04:05", "iso", undefined, "names no time zone"],
    ["02.01.2026", "dd.MM.yyyy", undefined, "names no time zone"],
    ["2026-03-29 02:30", "iso", "Europe/Oslo", "does not exist in Europe/Oslo"],
    ["31.02.2026", "dd.MM.yyyy", "UTC", "does not exist"],
    ["yesterday", "iso", "UTC", "not an ISO 8601 time"],
    ["1767323045678", "epoch_s", undefined, "outside the years"],
    ["13:00 PM 2026-01-01", "hh:mm a yyyy-MM-dd", "UTC", "twelve-hour"],
  ])("%s as %s in %s is refused", (text, format, zone, words) => {
    expect(() => mappedTime(text, format, zone)).toThrow(words);
  });
});

const small = {
  mapping_version: 1,
  source: "x",
  action: { column: "what" },
  occurred_at: { column: "when", format: "iso" },
  actor: { type: { constant: "user" }, id: { column: "who" } },
};

describe("a mapping", () => {
  test.each([
    [{ ...small, mapping_version: 2 }, "mapping_version must be 1"],
    [{ ...small, action: "what" }, "action must be"],
    [{ ...small, actr: 1 }, "actr"],
    [{ ...small, occurred_at: { column: "when", format: "dd/QQ" } }, "“QQ” is not a part"],
    [{ ...small, occurred_at: { column: "when", format: "HH:mm" } }, "has no year"],
    [{ ...small, occurred_at: { column: "when", format: "iso", zone: "Oslo" } }, "not a time zone"],
  ])("that is wrong is refused by field", (document, words) => {
    expect(() => mapping(document)).toThrow(words);
  });

  test("names the columns that a file lacks, those of templates too", () => {
    const document = mapping({
      ...small,
      row_id: ["id"],
      metadata: { a: { template: "{b}-{what}" } },
    });
    expect(missingColumns(document, ["what", "when", "who"])).toEqual(["id", "b"]);
  });

  test("refuses a row without what recognises it, without a time, and keeps a cell named __proto__ from vanishing", () => {
    const row = { id: null, what: "a", when: "2026-01-01T00:00:00Z", who: "u" };
    expect(() => map({ ...small, row_id: ["id"] }, row)).toThrow("recognised again");
    expect(() => map(small, { ...row, when: "" })).toThrow("every event needs a time");
    const names = ["what", "when", "who", "__proto__"];
    const { event } = rowMapper(mapping(small), names)(["a", "2026-01-01T00:00:00Z", "u", "x"]);
    expect(parseImportedEvent(event).ok).toBe(false);
  });
});

test("a target with an id and no type is told by its type's column, whatever was left out before it", () => {
  const target = (name: string) => ({ type: { column: `${name}_type` }, id: { column: name } });
  const document = { ...small, targets: [target("a"), target("b")] };
  const row = {
    what: "x",
    when: "2026-01-01T00:00:00Z",
    who: "u",
    a: "",
    a_type: "",
    b: "1",
    b_type: "",
  };
  expect(() => map(document, row)).toThrow(expect.objectContaining({ column: "b_type" }));
});

test("a proposal takes well-known names, never a zone, and says what it did not find", () => {
  const header = ["id", "created_at", "event", "user_email", "ip", "plan"];
  const { mapping: proposed, notes } = proposeMapping(
    header,
    ["1", "2026-01-02 03:04:05", "login", "a@example.com", "1.2.3.4", "pro"],
    "crm",
  );
  expect(mapping(proposed)).toMatchObject({
    row_id: ["id"],
    action: { column: "event" },
    occurred_at: { column: "created_at", format: "iso" },
    actor: { type: { constant: "user" }, id: { column: "user_email" } },
    context: { location: { column: "ip" } },
  });
  expect(proposed.occurred_at.zone).toBeUndefined();
  expect(notes).toEqual([]);
  expect(proposeMapping(["x"], ["1"], "x").notes.join()).toMatch(/occurred_at.*actor\.id.*action/s);
});

test.each([
  ["MM/dd/yyyy hh:mm:ss", "h and a go together"],
  ["MM/dd/yyyy HH:mm a", "h and a go together"],
  ["yyyy-MM-dd HH:MM", "month twice"],
])("a pattern that would read other hours than are meant is refused: %s", (pattern, words) => {
  expect(() => compilePattern(pattern)).toThrow(words);
});

test("a proposal is of a source named after its file, and takes no request's id for a row's", () => {
  const { mapping: proposed } = proposeMapping(["request_id", "event"], ["r1", "login"], "crm");
  expect(proposed).toMatchObject({ source: "crm", row_id: [] });
});
