import oracle from "canonicalize";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { canonicalize } from "./canonical";
import {
  eventDigest,
  genesisHash,
  leafHash,
  makeSalts,
  SALT_BYTES,
  type SealedContent,
  unitNames,
} from "./event-hash";
import { sha256 } from "./sha256";
import { isNormalTimestamp, normalizeTimestamp } from "./time";

// A thousand cases each, on whatever machine.
vi.setConfig({ testTimeout: 60_000 });

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: 1000 };
console.info(`chain properties: TEST_SEED=${seed}`);

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("toJSON", "__proto__", "", "constructor", '"\\\u0000\u007f\u2028'),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 5 }),
    fc.array(fc.tuple(anyText, tie("json")), { maxLength: 6 }).map(Object.fromEntries),
  ),
}));

const unit = fc
  .record({ id: anyText, type: anyText })
  .chain((base) =>
    fc.dictionary(fc.string(), json, { maxKeys: 3 }).map((more) => ({ ...more, ...base })),
  );
const instant = fc
  .date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => date.toISOString());
const content: fc.Arbitrary<SealedContent> = fc.record({
  id: fc.string(),
  organization_id: fc.string(),
  action: fc.string(),
  version: fc.integer({ min: 1 }),
  occurred_at: instant,
  actor: unit,
  targets: fc.array(unit, { maxLength: 12 }),
  context: fc.option(unit),
  metadata: fc.option(unit),
});

describe("canonical JSON", () => {
  test("agrees with the canonicalize package on any value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalize(value)).toBe(oracle(value));
      }),
      runs,
    );
  });

  test("the spelling of numbers, the order of keys and white space do not matter", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        const respelt = JSON.stringify(reversed, null, 3);
        expect(canonicalize(JSON.parse(respelt))).toBe(canonicalize(value));
      }),
      runs,
    );
    expect(canonicalize(JSON.parse("[0.50, 5e-1, 1E2, -0, 1.0]"))).toBe("[0.5,0.5,100,0,1]");
  });

  test.each([
    ["a lone high surrogate", "\ud800"],
    ["a lone low surrogate in a key", { "a\udc00": 1 }],
    ["NaN", [Number.NaN]],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["undefined", { a: undefined }],
    ["a hole", new Array(1)],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a Date", new Date(0)],
  ])("refuses %s", (_, value) => {
    expect(() => canonicalize(value)).toThrow();
  });
});

describe("timestamps", () => {
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");

  test("any offset and any fraction become UTC, cut to milliseconds", () => {
    fc.assert(
      fc.property(
        instant,
        fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
        fc.stringMatching(/^\d{0,9}$/),
        (utc, offset, moreDigits) => {
          const local = new Date(Date.parse(utc) + offset * 60_000).toISOString();
          fc.pre(/^\d{4}-/.test(local));
          const size = Math.abs(offset);
          const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
          const text = `${local.slice(0, -1)}${moreDigits}${zone}`;
          expect(normalizeTimestamp(text)).toBe(utc);
          expect(isNormalTimestamp(utc)).toBe(true);
        },
      ),
      runs,
    );
  });

  test.each([
    ["2026-01-02T03:04:05.678901", "2026-01-02T03:04:05.678Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["0099-12-31T23:59:59.9999Z", "0099-12-31T23:59:59.999Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["2000-02-29T12:00:00+00:00", "2000-02-29T12:00:00.000Z"],
  ])("%s is %s", (text, expected) => {
    expect(normalizeTimestamp(text)).toBe(expected);
  });

  test.each([
    "2026-01-02",
    "2026-01-02 03:04:05Z",
    "2026-01-02T03:04Z",
    "2026-1-2T03:04:05Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-01-02T24:00:00Z",
    "2026-01-02T23:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-02T03:04:05.Z",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+05",
    "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "１９９９-12-31T23:59:59Z",
    "2026-01-02T03:04:05Z\n",
    "",
  ])("refuses %j", (text) => {
    expect(() => normalizeTimestamp(text)).toThrow(RangeError);
    expect(isNormalTimestamp(text)).toBe(false);
  });
});

describe("event digest and chain", () => {
  test("changing any field of an event, or any salt in use, changes its digest", () => {
    fc.assert(
      fc.property(content, fc.nat(), (event, pick) => {
        const salts = makeSalts(event.targets.length);
        const digest = eventDigest(event, salts);
        expect(eventDigest(structuredClone(event), Buffer.from(salts))).toEqual(digest);

        const edits: (() => Buffer)[] = (
          ["id", "organization_id", "action", "occurred_at"] as const
        ).map((key) => () => eventDigest({ ...event, [key]: `${event[key]}x` }, salts));
        edits.push(() => eventDigest({ ...event, version: event.version + 1 }, salts));
        for (const key of ["actor", "context", "metadata"] as const) {
          edits.push(() => eventDigest({ ...event, [key]: { ...event[key], x1: 1 } }, salts));
        }
        edits.push(() => {
          const longer = Buffer.concat([salts, Buffer.alloc(SALT_BYTES)]);
          return eventDigest({ ...event, targets: [...event.targets, {}] }, longer);
        });
        for (const [slot, name] of unitNames(event.targets.length).entries()) {
          if ((name === "context" || name === "metadata") && event[name] === null) continue;
          edits.push(() => {
            const other = Buffer.from(salts);
            other[slot * SALT_BYTES] = (other[slot * SALT_BYTES] as number) ^ 1;
            return eventDigest(event, other);
          });
        }
        expect(edits[pick % edits.length]?.()).not.toEqual(digest);
      }),
      runs,
    );
  });

  test("salts that do not fit the units are refused", () => {
    const event = { id: "", organization_id: "", action: "", version: 1, occurred_at: "" };
    const bare = { ...event, actor: {}, targets: [], context: null, metadata: null };
    expect(() => eventDigest(bare, makeSalts(1))).toThrow(RangeError);
    expect(() => eventDigest(bare, Buffer.alloc(0))).toThrow(RangeError);
  });

  test("an edit anywhere changes every later link", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (texts, pick) => {
          const chain = (list: string[]) => {
            let previous = genesisHash("log.test/org_a");
            return list.map((text, seq) => {
              const at = "2026-01-02T00:00:00.000Z";
              previous = leafHash("log.test/org_a", seq, at, sha256(text), previous);
              return previous.toString("hex");
            });
          };
          const at = pick % texts.length;
          const honest = chain(texts);
          const edited = chain(texts.map((text, seq) => (seq === at ? `${text}!` : text)));
          expect(edited.slice(0, at)).toEqual(honest.slice(0, at));
          for (let seq = at; seq < texts.length; seq += 1) {
            expect(edited[seq]).not.toBe(honest[seq]);
          }
        },
      ),
      runs,
    );
  });

  test("a leaf of another length than 32 bytes is refused", () => {
    const hash = sha256("");
    expect(() => leafHash("o", 0, "", hash.subarray(1), hash)).toThrow(RangeError);
    expect(() => leafHash("o", 0, "", hash, Buffer.alloc(33))).toThrow(RangeError);
  });
});
