import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RejectsFile } from "./rejects-file";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-rejects-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const rejection = (number: number, record: unknown) => ({
  ...{ file: "a.ndjson", number, reasons: ["not a JSON object"], record },
});
const linesOf = (file: string) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("a long record is kept by its beginning, and says so; a short one stays as it is", async () => {
  const file = path.join(directory, "long");
  const rejects = new RejectsFile(file);
  await rejects.add(rejection(1, "x".repeat(1_000_000)));
  await rejects.add(rejection(2, { a: 1 }));
  await rejects.close();
  const [cut, whole] = linesOf(file);
  expect(cut.record).toBe(`"${"x".repeat(65_535)}`);
  expect(cut.cut).toContain("1000002 characters of JSON, of which these are the first 65536");
  expect(whole).toEqual(rejection(2, { a: 1 }));
});

test("the file has an end; what is not in it is counted, and its last line says so", async () => {
  const file = path.join(directory, "many");
  const rejects = new RejectsFile(file, { record: 65_536, file: 200_000, spare: 0 });
  for (let number = 1; number <= 10; number += 1)
    await rejects.add(rejection(number, "x".repeat(60_000)));
  await rejects.close();
  expect(rejects.leftOut).toBe(7);
  const lines = linesOf(file);
  expect(lines).toHaveLength(4);
  expect(lines[3]).toMatchObject({
    left_out: 7,
    note: expect.stringContaining("not in this file"),
  });
});

test("a disk that gets too full for it is a final error, and nothing is left behind", async () => {
  const file = path.join(directory, "full");
  const rejects = new RejectsFile(file, { record: 65_536, file: 1e9, spare: 1e18 });
  const fill = async () => {
    for (let number = 1; number <= 100; number += 1)
      await rejects.add(rejection(number, "x".repeat(65_000)));
  };
  await expect(fill()).rejects.toMatchObject({ name: "AppError", code: "too_large" });
  await rejects.discard();
  expect(readdirSync(directory)).not.toContainEqual(expect.stringMatching(/^full/));
});
