import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeDiagnostics, MAX_CLAUSES, MAX_QUERY_LENGTH } from "./ast";
import { parseFilter } from "./parse";
import { serializeFilter } from "./serialize";
import { filterArbitrary, NASTY, PLAIN_VOCABULARY, testSeed } from "./test-arbitraries";

const seed = testSeed();

function conditions(text: string) {
  const parsed = parseFilter(text);
  if (!parsed.ok) throw new Error(describeDiagnostics(parsed.diagnostics));
  return parsed.filter.clauses;
}

function diagnostics(text: string) {
  const parsed = parseFilter(text);
  return parsed.ok ? [] : parsed.diagnostics;
}

const any = (id: string, operator: string, value: string, path: string[] = []) => ({
  kind: "any",
  field: { id, path },
  matches: [{ operator, value }],
});

describe("parseFilter", () => {
  test.each([
    ["actor:usr_7", any("actor", "is", "usr_7")],
    ["actor.id:usr_7", any("actor", "is", "usr_7")],
    ["location:10.0.0.1", any("ip", "is", "10.0.0.1")],
    ["user_agent:*Firefox*", any("agent", "contains", "Firefox")],
    ["action:user.*", any("action", "starts_with", "user.")],
    ["action:*.deleted", any("action", "ends_with", ".deleted")],
    ["action:=user.*", any("action", "is", "user.*")],
    ['action:="*"', any("action", "is", "*")],
    ['actor.name:"Priya R*"', any("actor.name", "starts_with", "Priya R")],
    ['actor.name:"a \\" b"', any("actor.name", "is", 'a " b')],
    ['actor.name:"50\\*"', any("actor.name", "is", "50*")],
    ['actor.name:"C:\\temp"', any("actor.name", "is", "C:\\temp")],
    ["target:arn:aws:s3:::bucket", any("target", "is", "arn:aws:s3:::bucket")],
    ["ip:10.0.0.0/8", any("ip", "in_network", "10.0.0.0/8")],
    ["ip:2001:db8::/32", any("ip", "in_network", "2001:db8::/32")],
    ["ip:=10.0.0.0/8", any("ip", "is", "10.0.0.0/8")],
    ["version:2", any("version", "is", "2")],
    ["metadata.plan:pro", any("metadata", "is", "pro", ["plan"])],
    ["metadata.a.b.c:x", any("metadata", "is", "x", ["a", "b", "c"])],
    ['metadata."odd key".b:x', any("metadata", "is", "x", ["odd key", "b"])],
    ["actor.metadata.role:admin", any("actor.metadata", "is", "admin", ["role"])],
    ["metadata.path:../etc", any("metadata", "is", "../etc", ["path"])],
    ["has:target.name", { kind: "has", field: { id: "target.name", path: [] } }],
    ["has:metadata.x", { kind: "has", field: { id: "metadata", path: ["x"] } }],
    [
      "version:>=2",
      { kind: "compare", field: { id: "version", path: [] }, operator: ">=", value: 2 },
    ],
    ["version:1..3", { kind: "range", field: { id: "version", path: [] }, from: 1, to: 3 }],
    [
      "metadata.n:-1.5..2",
      { kind: "range", field: { id: "metadata", path: ["n"] }, from: -1.5, to: 2 },
    ],
    ["invoice", { kind: "text", value: "invoice" }],
    ["user.*", { kind: "text", value: "user." }],
    ['"a:b *"', { kind: "text", value: "a:b *" }],
  ])("%s", (text, condition) => {
    expect(conditions(text)).toEqual([{ negated: false, condition }]);
    expect(conditions(`-${text}`)).toEqual([{ negated: true, condition }]);
  });

  test("clauses are joined by AND and know where they stand", () => {
    const parsed = parseFilter("  -actor:usr_7  action:(a.b OR c.* OR =d*)\tfoo ");
    expect(parsed).toMatchObject({
      ok: true,
      spans: [
        { start: 2, end: 14 },
        { start: 16, end: 42 },
        { start: 43, end: 46 },
      ],
    });
    expect(parsed.ok && parsed.filter.clauses[1]?.condition).toEqual({
      kind: "any",
      field: { id: "action", path: [] },
      matches: [
        { operator: "is", value: "a.b" },
        { operator: "starts_with", value: "c." },
        { operator: "is", value: "d*" },
      ],
    });
  });

  test("an unknown field names the nearest one", () => {
    const [problem] = diagnostics("actr:usr_7");
    expect(problem).toEqual({
      code: "unknown_field",
      message: "`actr` is not a field. Did you mean `actor`?",
      span: { start: 0, end: 4 },
      suggestion: "actor",
    });
    expect(describeDiagnostics(diagnostics("actr:usr_7"))).toBe(
      "Query not run: `actr` is not a field. Did you mean `actor`?",
    );
    expect(diagnostics("metdata.plan:x")[0]?.suggestion).toBe("metadata.plan");
    expect(diagnostics("Actor:x")[0]?.suggestion).toBe("actor");
    expect(diagnostics("has:tagret")[0]?.suggestion).toBe("target");
    expect(diagnostics("https://example.com")[0]).toMatchObject({ suggestion: null });
  });

  test.each([
    ["actor:a OR actor:b", "cross_field_or"],
    ["actor:(a OR action:b)", "cross_field_or"],
    ["a OR b", "cross_field_or"],
    ["a AND b", "stray_keyword"],
    ["NOT a", "stray_keyword"],
    ["(a OR b)", "stray_parenthesis"],
    ["actor:(a b)", "missing_or"],
    ["actor:(a OR )", "missing_value"],
    ["actor:()", "missing_value"],
    ["actor:(a OR b", "unclosed_group"],
    ["actor:(a)x", "stray_parenthesis"],
    ['actor:"a', "unclosed_quote"],
    ['actor:a"b"', "stray_quote"],
    ['actor:"a"b', "stray_quote"],
    ["actor:", "missing_value"],
    ["actor: x", "missing_value"],
    ["has:", "missing_value"],
    ["has:actor:x", "wrong_operator"],
    ["-", "stray_negation"],
    ["- x", "stray_negation"],
    ["actor:*", "only_wildcard"],
    ["*", "only_wildcard"],
    ['""', "empty_text"],
    ["metadata:x", "missing_key"],
    ["metadata.:x", "missing_key"],
    ["version:x", "not_a_number"],
    ["version:>x", "not_a_number"],
    ["version:2*", "wrong_operator"],
    ["version:3..1", "reversed_range"],
    ["actor:>3", "wrong_operator"],
    ["ip:10.0.0.0/33", "not_a_network"],
    ["ip:10.0/8", "not_a_network"],
    ["a\0b", "bad_character"],
    ["a\ud800", "bad_character"],
    ["x".repeat(MAX_QUERY_LENGTH + 1), "too_long"],
    ["x ".repeat(MAX_CLAUSES + 1), "too_many_clauses"],
  ])("%s is refused by name", (text, code) => {
    expect(diagnostics(text).map((problem) => problem.code)).toContain(code);
  });

  test("every mistake is reported, with a span inside the text", () => {
    const text = "actr:x version:y actor:ok foo:z";
    expect(diagnostics(text).map(({ span }) => text.slice(span.start, span.end))).toEqual([
      "actr",
      "y",
      "foo",
    ]);
  });

  test("a limit counts clauses, and 50 of them are allowed", () => {
    expect(conditions("x ".repeat(MAX_CLAUSES))).toHaveLength(MAX_CLAUSES);
  });

  test("parse of serialize gives every filter back", () => {
    fc.assert(
      fc.property(filterArbitrary(PLAIN_VOCABULARY), (filter) => {
        const text = serializeFilter(filter);
        const parsed = parseFilter(text);
        expect(parsed.ok ? parsed.filter : { text, ...parsed }).toEqual(filter);
      }),
      { seed, numRuns: 3_000 },
    );
  });

  test("any text gives a filter or diagnostics with sound spans, and what parses survives a round trip", () => {
    const piece = fc.oneof(
      fc.constantFrom(...NASTY, "actor:", "has:", "metadata.", "(", ")", " ", " OR ", "-", "ip:"),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        const parsed = parseFilter(text);
        if (parsed.ok) {
          expect(parsed.spans).toHaveLength(parsed.filter.clauses.length);
          expect(parseFilter(serializeFilter(parsed.filter))).toMatchObject({
            ok: true,
            filter: parsed.filter,
          });
          return;
        }
        expect(parsed.diagnostics.length).toBeGreaterThan(0);
        for (const { span } of parsed.diagnostics) {
          expect(span.start).toBeGreaterThanOrEqual(0);
          expect(span.end).toBeGreaterThan(span.start);
          expect(span.start).toBeLessThanOrEqual(text.length);
        }
      }),
      { seed, numRuns: 5_000 },
    );
  });
});
