import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkScope, signLink } from "./signed-link";
import { systemScope } from "./system-scope";

const KEY = "handler:/audit_logs/exports/[id]/file";
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const before = process.env.TRAILSEAL_DATA_DIR;
let directory: string;
let link: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-link-"));
  process.env.TRAILSEAL_DATA_DIR = directory;
  link = signLink(systemScope("worker", "org_1"), "/audit_logs/exports/x/file", 3, NOW_MS);
});

afterAll(() => {
  if (before === undefined) delete process.env.TRAILSEAL_DATA_DIR;
  else process.env.TRAILSEAL_DATA_DIR = before;
  rmSync(directory, { recursive: true });
});

const follow = (text: string, nowMs = NOW_MS) =>
  linkScope(new Request(`http://localhost${text}`), KEY, nowMs).scope;

describe("a signed link", () => {
  test("opens its path for its organization, with what the place demands and nothing else", () => {
    const scope = follow(link);
    expect(scope).toMatchObject({ principal: { kind: "link" }, organizationId: "org_1" });
    expect([...scope.permissions]).toEqual(["exports:manage"]);
  });

  test("lives ten minutes", () => {
    expect(() => follow(link, NOW_MS + 599_000)).not.toThrow();
    expect(() => follow(link, NOW_MS + 600_000)).toThrow("run out");
  });

  test.each([
    ["another path", (text: string) => text.replace("/x/", "/y/")],
    ["another organization", (text: string) => text.replace("org_1", "org_2")],
    ["a later end", (text: string) => text.replace(/expires=\d+/, "expires=9999999999")],
    ["another signature", (text: string) => text.replace(/signature=.{8}/, "signature=AAAAAAAA")],
    ["a short signature", (text: string) => text.slice(0, -6)],
    ["no signature", (text: string) => text.replace(/&signature=.*/, "")],
    ["nothing", (text: string) => text.replace(/\?.*/, "")],
    ["two organizations", (text: string) => text.replace("?", "?organization_id=org_2&")],
  ])("with %s is not valid", (_what, change) => {
    expect(() => follow(change(link))).toThrow("This link is not valid.");
  });
});
