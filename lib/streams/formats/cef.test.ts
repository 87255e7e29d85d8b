import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testSeed } from "@/lib/events/filter/test-arbitraries";
import type { WireEvent } from "@/lib/events/schema";
import { cef } from "./cef";
import { anyItem, erased, outside, signIn, voided } from "./test-items";

/** Refuses whatever the format does not allow: a stray `\`, a raw newline, an unescaped `=` or `|`. */
function parseStrictly(line: string): { header: string[]; extension: Map<string, string> } {
  const found = /^CEF:0\|((?:(?:\\[\\|]|[^\\|\r\n])*\|){6})/.exec(line);
  if (!found) throw new Error(`no header: ${line}`);
  const header = [...(found[1] as string).matchAll(/((?:\\.|[^\\|])*)\|/g)].map(([, text]) =>
    (text as string).replace(/\\(.)/g, "$1"),
  );
  const extension = new Map<string, string>();
  const member = /([A-Za-z0-9]+)=((?:\\[\\=rn]|[^\\=\r\n])*?)(?: (?=[A-Za-z0-9]+=)|$)/y;
  member.lastIndex = found[0].length;
  while (member.lastIndex < line.length) {
    const at = member.lastIndex;
    const [, key, text] = member.exec(line) ?? [];
    if (key === undefined || text === undefined)
      throw new Error(`not an extension: ${line.slice(at)}`);
    if (extension.has(key)) throw new Error(`${key} stands twice`);
    const value = text.replace(/\\(.)/g, (_, letter) =>
      letter === "n" ? "\n" : letter === "r" ? "\r" : letter,
    );
    extension.set(key, value);
  }
  return { header, extension };
}

const HASH = "5e".repeat(32);
const ID = "audit_event_01JZ8QF2M4P6R8T0V2X4Z6B8D0";

describe("CEF", () => {
  it("an event is one line, every field in its place", () => {
    expect(cef(voided)).toBe(
      [
        "CEF:0|Trailseal|Trailseal|1|invoice.voided|invoice voided|1|rt=1772697580512",
        `externalId=${ID}`,
        "msg=Mei Tan: invoice.voided on invoice inv_4410 and 1 more",
        "suid=usr_88 suser=Mei Tan src=203.0.113.9",
        "requestClientApplication=Mozilla/5.0 (a\\=b)",
        "cs1=org_01JZ8Q4M7N2V5X9C3B6T0R1KDH cs1Label=organizationId",
        'cs3=[{"id":"inv_4410","type":"invoice","metadata":{"currency":"SGD"}},{"id":"usr_7","type":"user","name":"Zoë | Ng"}] cs3Label=targets',
        'cs4={"invoice_total":129.5,"dry_run":false,"note.text":"C:\\\\\\\\x \\= 1\\\\nend"} cs4Label=metadata',
        `cs5=${"4d".repeat(32)} cs5Label=previousHash`,
        `cs6=${HASH} cs6Label=chainHash`,
        "cn1=41 cn1Label=sequence cn2=2 cn2Label=schemaVersion",
        "flexString1=user flexString1Label=actorType",
        'flexString2={"actor":{"metadata":{"role":"finance"}},"context":{"session":"s_1"}} flexString2Label=details',
        "deviceCustomDate1=1772697581003 deviceCustomDate1Label=recordedAt",
      ].join(" "),
    );
  });

  it("a failed sign-in says its outcome and reason, an IPv6 address has its own key", () => {
    const line = cef(signIn);
    expect(line).toMatch(
      /^CEF:0\|Trailseal\|Trailseal\|1\|user\.sign_in_failed\|user sign in failed\|1\|/,
    );
    const { extension } = parseStrictly(line);
    expect(Object.fromEntries(extension)).toMatchObject({
      outcome: "failure",
      reason: "Wrong password",
      c6a2: "2001:db8::9",
      c6a2Label: "Source IPv6 Address",
    });
    expect(extension.has("src")).toBe(false);
  });

  it("headers escape \\ and |, extensions \\ and = and newlines, and nothing else", () => {
    const action = "a\\b|c=d\r\ne";
    const actor = { type: "user", id: "a\\b|c=d\r\ne" };
    const line = cef({ ...erased, event: { ...erased.event, action, actor, targets: [] } });
    expect(line).toContain("|a\\\\b\\|c=d e|a\\\\b\\|c=d e|1|");
    expect(line).toContain(" suid=a\\\\b|c\\=d\\r\\ne ");
  });

  it("what is erased says so; what is outside the chain has its kind, and neither sequence nor hash", () => {
    expect(cef(erased)).toContain(" suid=erased cs1=");
    expect(cef(erased)).toContain('cs3=[{"type":"erased","id":"erased"}] ');
    const checkpoint = cef(outside("checkpoint"));
    expect(checkpoint).toContain(" cat=checkpoint ");
    expect(checkpoint).not.toMatch(/ (cn1|cs6)/);
    expect(checkpoint.split("\n")).toHaveLength(1);
  });

  it("a strict parser reads back what the event holds, whatever that is", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const event = item.event as unknown as WireEvent;
        const { header, extension } = parseStrictly(cef(item));
        const json = (key: string) => JSON.parse(extension.get(key) ?? "null");
        const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));
        expect(header[3]).toBe(event.action.replace(/[\r\n]+/g, " "));
        expect(extension.get("rt")).toBe(String(Date.parse(event.occurred_at)));
        expect(extension.get("externalId")).toBe(event.id);
        expect(extension.get("cs1")).toBe(event.organization_id);
        expect(extension.get("suid")).toBe(event.actor.id);
        expect(extension.get("suser")).toBe(event.actor.name);
        expect(extension.get("flexString1")).toBe(event.actor.type);
        expect(extension.get("requestClientApplication")).toBe(event.context?.user_agent);
        expect(json("cs3") ?? []).toEqual(plain(event.targets));
        expect(json("cs4") ?? {}).toEqual(plain(event.metadata ?? {}));
        expect(json("cn1")).toBe(item.seq);
        expect(extension.get("cs6") ?? null).toBe(item.chainHash);
        const { location } = event.context ?? {};
        const found = extension.get("src") ?? extension.get("c6a2") ?? extension.get("cs2");
        expect(found).toBe(location);
      }),
      { seed: testSeed(), numRuns: 200 },
    );
  });

  it("the parser would notice a value that is not escaped", () => {
    expect(() => parseStrictly("CEF:0|a|b|1|c|d|1|suser=a=b")).toThrow("not an extension");
    expect(() => parseStrictly("CEF:0|a|b|1|c|d|1|suser=a\\b")).toThrow("not an extension");
    expect(() => parseStrictly("CEF:0|a|b|1|c|d|1|suser=a\nb")).toThrow("not an extension");
    expect(() => parseStrictly("CEF:0|a|b|1|c\\d|e|1|rt=1")).toThrow("no header");
    expect(() => parseStrictly("CEF:0|a|b|1|c|d|1|rt=1 rt=2")).toThrow("twice");
  });
});
