import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settingNames } from "./env";

test("the README's table has every setting, and none that is gone", () => {
  const readme = readFileSync("README.md", "utf8");
  const rows = readme.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.flatMap((row) => row.split("|")[1]?.match(/[A-Z][A-Z0-9_]{3,}/g) ?? []);
  expect(told.sort()).toEqual([...settingNames].sort());
});
