import { describe, expect, it } from "vitest";
import { type ListStep, parseListQuery, readListPage } from "./list-page";

const ids = Array.from({ length: 205 }, (_, n) => `als_${String(n).padStart(3, "0")}`);

async function read({ from, direction, limit }: ListStep): Promise<{ id: string }[]> {
  if (from !== null && !ids.includes(from)) return [];
  const ordered = direction === "asc" ? ids : [...ids].reverse();
  return ordered
    .filter((id) => from === null || (direction === "asc" ? id > from : id < from))
    .slice(0, limit)
    .map((id) => ({ id }));
}

const page = (query: string) =>
  readListPage(parseListQuery(new URLSearchParams(query)), read, ({ id }) => id);

describe("a list of the compatible API", () => {
  it.each([
    ["order=desc&limit=100", "after", [...ids].reverse()],
    ["order=asc&limit=41", "after", ids],
    ["limit=1", "after", [...ids].reverse()],
    ["order=normal&limit=50", "before", [...ids].reverse()],
  ] as const)(
    "%s reaches every row once, in order, and then says null",
    async (query, sense, all) => {
      const seen: string[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const { data, list_metadata } = await page(`${query}&${sense}=${cursor}`);
        seen.push(...data);
        cursor = list_metadata[sense];
      }
      expect(seen).toEqual(all);
    },
  );

  it("goes back the way it came", async () => {
    const first = await page("limit=3");
    const second = await page(`limit=3&after=${first.list_metadata.after}`);
    expect(first.list_metadata.before).toBeNull();
    expect(await page(`limit=3&before=${second.list_metadata.before}`)).toEqual(first);
  });

  it("gives ten of the newest unless asked otherwise, and nothing for an unknown cursor", async () => {
    expect((await page("")).data).toEqual([...ids].reverse().slice(0, 10));
    expect(await page("after=als_unknown")).toEqual({
      object: "list",
      data: [],
      list_metadata: { before: null, after: null },
    });
  });

  it.each([
    ["limit=0", "limit", "limit must be a whole number from 1 to 100"],
    ["limit=101", "limit", "limit must be a whole number from 1 to 100"],
    ["limit=1e1", "limit", "limit must be a whole number from 1 to 100"],
    ["order=random", "order", "order must be asc, desc or normal"],
    ["before=a&after=b", "before", "before cannot be used together with after"],
  ])("refuses %s by name", (query, field, code) => {
    expect(() => parseListQuery(new URLSearchParams(query))).toThrow(
      expect.objectContaining({ code: "validation_failed", errors: [{ field, code }] }),
    );
  });
});
