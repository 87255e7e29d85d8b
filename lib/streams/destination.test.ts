import fc from "fast-check";
import { expect, it } from "vitest";
import { joined, type Text } from "./destination";

it("items are joined as texts are, also those that lie one behind the other in memory with anything between", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const block = fc.tuple(
    fc.array(text, { minLength: 1, maxLength: 6 }),
    fc.constantFrom(",", "-", "--"),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(text, block), { maxLength: 5 }), (parts) => {
      const texts: string[] = [];
      const items = parts.flatMap((part): Text[] => {
        if (typeof part === "string") {
          texts.push(part);
          return [part];
        }
        const [lines, between] = part;
        texts.push(...lines);
        const bytes = Buffer.from(lines.join(between));
        let at = 0;
        return lines.map((line) => {
          const start = at;
          at += Buffer.byteLength(line) + between.length;
          return { block: bytes, start, end: start + Buffer.byteLength(line) };
        });
      });
      expect(joined("[", items, ",", "]").toString()).toBe(`[${texts.join(",")}]`);
      expect(joined("", items, "\n", "\n").toString()).toBe(`${texts.join("\n")}\n`);
    }),
  );
});
