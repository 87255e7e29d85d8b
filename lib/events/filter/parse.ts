import { findField } from "../fields";
import {
  type Diagnostic,
  type DiagnosticCode,
  type EventFilter,
  MAX_CLAUSES,
  MAX_QUERY_LENGTH,
  type Span,
} from "./ast";
import { validateSyntax } from "./validate";

/**
 * ```
 * query  = { clause }                                  implicit AND
 * clause = ["-"] ( field ":" match | "has:" field | value )
 * match  = item | "(" item { "OR" item } ")" | (">" | ">=" | "<" | "<=") number | number ".." number
 * item   = ["="] value                                 "=" forces exact: "*" is an ordinary character
 * value  = bare | quoted                               a leading or trailing "*" = ends / starts with
 * quoted = '"' … '"' with \" \\ \*                     other backslashes stand for themselves
 * field  = name { "." key }                            a key may be quoted: metadata."odd key"
 * ```
 */
export type ParsedFilter =
  /** `spans[i]` is where `filter.clauses[i]` stands in the text. */
  { ok: true; filter: EventFilter; spans: Span[] } | { ok: false; diagnostics: Diagnostic[] };

export interface SyntaxValue {
  /** Without quotes, escapes and the wildcards. */
  text: string;
  quoted: boolean;
  exact: boolean;
  startStar: boolean;
  endStar: boolean;
  /** As written. */
  raw: string;
  span: Span;
}

export interface SyntaxName {
  /** Unquoted segments; `quoted[i]` tells whether segment i stood in quotes. */
  segments: string[];
  quoted: boolean[];
  raw: string;
  span: Span;
}

export type SyntaxCondition =
  | { kind: "text"; value: SyntaxValue }
  | { kind: "has"; name: SyntaxName }
  | { kind: "match"; name: SyntaxName; values: SyntaxValue[] }
  | { kind: "compare"; name: SyntaxName; operator: ">" | ">=" | "<" | "<="; value: SyntaxValue };

export interface SyntaxClause {
  negated: boolean;
  condition: SyntaxCondition;
  span: Span;
}

export function parseFilter(text: string): ParsedFilter {
  const { clauses, diagnostics } = new Scanner(text).run();
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const validated = validateSyntax(clauses);
  if (!validated.ok) return validated;
  return { ok: true, filter: validated.filter, spans: clauses.map((clause) => clause.span) };
}

/** Thrown inside the scanner only: the clause that holds it is given up, the next one is read. */
class Problem extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}

const SPACE = /\s/;

class Scanner {
  private at = 0;
  private readonly diagnostics: Diagnostic[] = [];

  constructor(private readonly text: string) {}

  run(): { clauses: SyntaxClause[]; diagnostics: Diagnostic[] } {
    const clauses: SyntaxClause[] = [];
    if (this.text.length > MAX_QUERY_LENGTH) {
      this.report(
        "too_long",
        `The query has ${this.text.length} characters; at most ${MAX_QUERY_LENGTH} are allowed.`,
        { start: MAX_QUERY_LENGTH, end: this.text.length },
      );
      return { clauses, diagnostics: this.diagnostics };
    }
    const bad = findBadCharacter(this.text);
    if (bad !== null) {
      this.report("bad_character", "The query holds a character that no event can hold.", {
        start: bad,
        end: bad + 1,
      });
      return { clauses, diagnostics: this.diagnostics };
    }
    for (this.skipSpace(); this.at < this.text.length; this.skipSpace()) {
      if (clauses.length === MAX_CLAUSES) {
        this.report("too_many_clauses", `A query has at most ${MAX_CLAUSES} conditions.`, {
          start: this.at,
          end: this.text.length,
        });
        break;
      }
      try {
        clauses.push(this.clause());
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        this.diagnostics.push(error.diagnostic);
        // Past the reported place, then to the next clause.
        this.at = Math.max(this.at, error.diagnostic.span.end);
        while (this.at < this.text.length && !SPACE.test(this.text[this.at] as string))
          this.at += 1;
      }
    }
    return { clauses, diagnostics: this.diagnostics };
  }

  private report(code: DiagnosticCode, message: string, span: Span): void {
    this.diagnostics.push({ code, message, span, suggestion: null });
  }

  private fail(code: DiagnosticCode, message: string, span: Span, suggestion?: string): never {
    throw new Problem({ code, message, span, suggestion: suggestion ?? null });
  }

  private skipSpace(): void {
    while (this.at < this.text.length && SPACE.test(this.text[this.at] as string)) this.at += 1;
  }

  private peek(): string {
    return this.text[this.at] ?? "";
  }

  private clause(): SyntaxClause {
    const start = this.at;
    const negated = this.peek() === "-";
    if (negated) {
      this.at += 1;
      if (this.peek() === "" || SPACE.test(this.peek()))
        this.fail("stray_negation", "`-` excludes what follows it directly, as in `-actor:x`.", {
          start,
          end: this.at,
        });
    }
    const condition = this.condition(start);
    return { negated, condition, span: { start, end: this.at } };
  }

  private condition(start: number): SyntaxCondition {
    const begin = this.at;
    if (this.peek() === "(" || this.peek() === ")")
      this.fail(
        "stray_parenthesis",
        "Parentheses list the values of one field, as in `action:(a OR b)`. To search for one, put the text in quotes.",
        { start: begin, end: begin + 1 },
      );
    const name = this.tryName();
    if (!name) {
      const value = this.value("text");
      this.refuseKeyword(value, start);
      return { kind: "text", value };
    }
    this.at += 1;
    if (name.raw === "has") {
      const asked = this.tryName(true);
      if (!asked)
        this.fail("missing_value", "`has:` needs a field, as in `has:actor.name`.", {
          start,
          end: this.at,
        });
      if (this.peek() !== "" && !SPACE.test(this.peek()))
        this.fail("wrong_operator", "`has:` takes a field and nothing else.", {
          start,
          end: this.at + 1,
        });
      return { kind: "has", name: asked };
    }
    if (this.peek() === "" || SPACE.test(this.peek()))
      this.fail("missing_value", `\`${name.raw}:\` needs a value right after the colon.`, {
        start,
        end: this.at,
      });
    if (this.peek() === "(") return { kind: "match", name, values: this.group(name) };
    const operator = /^(?:>=|<=|>|<)/.exec(this.text.slice(this.at, this.at + 2))?.[0];
    if (operator) {
      this.at += operator.length;
      return {
        kind: "compare",
        name,
        operator: operator as ">" | ">=" | "<" | "<=",
        value: this.value("value"),
      };
    }
    return { kind: "match", name, values: [this.value("value")] };
  }

  /** A field name; without `alone` only when a colon follows. Leaves `at` behind the name. */
  private tryName(alone = false): SyntaxName | null {
    const pattern = /(?:"(?:[^"\\]|\\[\s\S])*"|[^\s:"()])+/y;
    pattern.lastIndex = this.at;
    const raw = pattern.exec(this.text)?.[0];
    if (!raw || (!alone && this.text[this.at + raw.length] !== ":")) return null;
    const span = { start: this.at, end: this.at + raw.length };
    const segments: string[] = [];
    const quoted: boolean[] = [];
    const segment = /(?:"((?:[^"\\]|\\[\s\S])*)"|([^."]+))(?:\.|$)/y;
    while (segment.lastIndex < raw.length) {
      const found = segment.exec(raw);
      if (!found) this.fail("unknown_field", `\`${raw}\` is not a field.`, span);
      segments.push(found[1] === undefined ? (found[2] as string) : unescapeQuoted(found[1]));
      quoted.push(found[1] !== undefined);
    }
    if (raw.endsWith(".")) this.fail("missing_key", `\`${raw}\` needs a key after the dot.`, span);
    this.at = span.end;
    return { segments, quoted, raw, span };
  }

  private group(name: SyntaxName): SyntaxValue[] {
    const start = this.at;
    this.at += 1;
    const values: SyntaxValue[] = [];
    for (;;) {
      this.skipSpace();
      if (this.peek() === "")
        this.fail("unclosed_group", "A `(` is not closed.", { start, end: this.at });
      if (this.peek() === ")" && values.length === 0)
        this.fail("missing_value", `\`${name.raw}:( )\` holds no value.`, {
          start,
          end: this.at + 1,
        });
      const value = this.value("value");
      if (isKeyword(value))
        this.fail("missing_value", `A value is missing before \`${value.raw}\`.`, value.span);
      const other = /^-?([^":\s]+):/.exec(value.raw)?.[1];
      if (other && (findField(other) || other === "has"))
        this.fail(
          "cross_field_or",
          "`OR` joins values of one field only. Conditions on different fields are always joined by AND.",
          value.span,
        );
      values.push(value);
      this.skipSpace();
      if (this.peek() === ")") {
        this.at += 1;
        if (this.peek() !== "" && !SPACE.test(this.peek()))
          this.fail("stray_parenthesis", "Put a space after `)`.", {
            start: this.at - 1,
            end: this.at,
          });
        return values;
      }
      if (this.peek() === "")
        this.fail("unclosed_group", "A `(` is not closed.", { start, end: this.at });
      if (!/^OR(?=\s)/.test(this.text.slice(this.at, this.at + 3)))
        this.fail("missing_or", "Put `OR` between the values in parentheses.", {
          start: this.at,
          end: this.at + 1,
        });
      this.at += 2;
    }
  }

  private value(position: "text" | "value"): SyntaxValue {
    const start = this.at;
    const exact = position === "value" && this.peek() === "=";
    if (exact) this.at += 1;
    if (this.peek() === '"') return this.quoted(start, exact, position);
    const begin = this.at;
    while (this.at < this.text.length && !/[\s"()]/.test(this.text[this.at] as string))
      this.at += 1;
    const bare = this.text.slice(begin, this.at);
    const span = { start, end: this.at };
    if (this.peek() === '"')
      this.fail(
        "stray_quote",
        'A quote stands inside a word. Quote the whole value: `"like this"`.',
        {
          start,
          end: this.at + 1,
        },
      );
    if (this.peek() === "(" || (this.peek() === ")" && position === "text"))
      this.fail(
        "stray_parenthesis",
        "A parenthesis stands inside a word. Put the value in quotes to search for it.",
        { start: this.at, end: this.at + 1 },
      );
    if (bare === "")
      this.fail("missing_value", "A value is missing.", {
        start,
        end: Math.max(start + 1, this.at),
      });
    const startStar = !exact && bare.startsWith("*");
    const endStar = !exact && bare.length > 1 && bare.endsWith("*");
    const text = bare.slice(startStar ? 1 : 0, endStar ? -1 : undefined);
    return {
      text,
      quoted: false,
      exact,
      startStar,
      endStar,
      raw: this.text.slice(start, this.at),
      span,
    };
  }

  private quoted(start: number, exact: boolean, position: "text" | "value"): SyntaxValue {
    const pattern = /"((?:[^"\\]|\\[\s\S])*)"/y;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found)
      this.fail("unclosed_quote", "A quote is not closed.", { start, end: this.text.length });
    this.at += found[0].length;
    if (!/^(?:$|[\s)])/.test(this.peek()))
      this.fail("stray_quote", "Put a space after the closing quote.", {
        start,
        end: this.at,
      });
    const inner = found[1] as string;
    // Free text is contained anyway, and quoting is how to search for a star.
    const patterns = position === "value" && !exact;
    const startStar = patterns && inner.startsWith("*");
    const endStar = patterns && inner.length > 1 && /(?:^|[^\\])(?:\\\\)*\*$/.test(inner);
    const text = unescapeQuoted(inner.slice(startStar ? 1 : 0, endStar ? -1 : undefined));
    const raw = this.text.slice(start, this.at);
    return { text, quoted: true, exact, startStar, endStar, raw, span: { start, end: this.at } };
  }

  private refuseKeyword(value: SyntaxValue, start: number): void {
    if (!isKeyword(value)) return;
    const { span, text } = value;
    if (text === "OR")
      this.fail(
        "cross_field_or",
        "`OR` joins values of one field only, as in `actor:(a OR b)`. Conditions on different fields are always joined by AND.",
        span,
      );
    this.fail(
      "stray_keyword",
      text === "AND"
        ? "`AND` is implied between conditions: leave it out."
        : "To exclude, put `-` before a condition, as in `-actor:x`.",
      { start, end: span.end },
    );
  }
}

function isKeyword(value: SyntaxValue): boolean {
  return !value.quoted && !value.exact && /^(?:OR|AND|NOT)$/.test(value.raw);
}

function unescapeQuoted(text: string): string {
  return text.replace(/\\(["\\*])/g, "$1");
}

/** Offset of a NUL or of half a surrogate pair: neither can be stored, nor bound to a statement. */
function findBadCharacter(text: string): number | null {
  const found = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.exec(
    text,
  );
  return found ? found.index : null;
}
