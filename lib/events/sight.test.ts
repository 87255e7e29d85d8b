import { expect, test } from "vitest";
import { Prisma } from "@/lib/generated/prisma/client";
import { fields } from "./fields";
import { parseFilter } from "./filter/parse";
import { readSight, storedSight, whyRefused } from "./server/read-sight";
import { asSeen } from "./server/seen";
import { fieldNamesOf, type Hideable, hideables, isHidden } from "./sight";

const conditionOf = (text: string) => {
  const parsed = parseFilter(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.filter.clauses[0]?.condition as Parameters<typeof whyRefused>[1];
};

test("every field that can be hidden is one that filters know, but two that they cannot name", () => {
  const ids: readonly string[] = fields.map(({ id }) => id);
  expect(hideables.filter((name) => !ids.includes(name))).toEqual(["target.metadata", "context"]);
});

test("what is in the context is hidden with it; nothing else hides another field", () => {
  for (const name of hideables) {
    const hidden = new Set<Hideable>([name]);
    const found = fields.filter((field) => isHidden(hidden, field)).map(({ id }) => id);
    expect(found).toEqual(
      name === "context" ? ["ip", "agent"] : name === "target.metadata" ? [] : [name],
    );
  }
});

test("free text is refused as soon as one of the fields that it looks into is hidden", () => {
  for (const name of hideables) {
    const why = whyRefused(new Set([name]), conditionOf("jane"));
    if (["actor", "actor.name", "target", "target.name"].includes(name))
      expect(why).toBe(
        `Free text looks into ${name}, which is hidden for you. Name a field, as in action:user.*`,
      );
    else expect(why).toBeNull();
  }
});

test("a stored sight is read back as it was, and not at all where a part of it is unknown", () => {
  const stored = { filter: "action:billing.* -actor.type:service", hidden: ["actor.name", "ip"] };
  const sight = readSight(stored);
  expect(sight && storedSight(sight)).toEqual(stored);
  expect(readSight({ ...stored, hidden: ["ip", "shoe_size"] })).toBeNull();
  expect(readSight({ ...stored, filter: "shoe_size:43" })).toBeNull();
  expect(fieldNamesOf(stored.hidden)).toBe("actor name, IP");
});

test("a sight without hidden fields reads the rows as they are, but none that it leaves out", () => {
  const sight = readSight({ filter: "action:billing.*", hidden: [] });
  if (!sight) throw new Error("unreadable");
  expect(asSeen(sight, Prisma.sql`events e`).sql).toBe(
    "(SELECT e.* FROM events e WHERE e.action NOT LIKE 'trailseal.%' AND (e.action LIKE ?)) e",
  );
});
