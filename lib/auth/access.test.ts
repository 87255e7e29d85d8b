import path from "node:path";
import { describe, expect, it } from "vitest";
import { type AccessKey, access, sealedBy } from "./access";
import { actionsIn, routeOf, sourcesUnder } from "./test-sources";

const root = path.resolve(import.meta.dirname, "../..");

const app = sourcesUnder(root, "app");
const named = (name: string) => app.filter(({ file }) => path.basename(file) === name);

const pages = named("page.tsx").map((source) => ({
  ...source,
  key: `page:${routeOf(source.file)}`,
}));
const handlers = named("route.ts").map((source) => ({
  ...source,
  key: `handler:${routeOf(source.file)}`,
}));

const actions = named("actions.ts").flatMap(actionsIn);

/** What a place has to call, by who may come. */
function demandOf(key: string): RegExp | null {
  const literal = `"${key.replace(/[[\].]/g, "\\$&")}"`;
  switch (access[key as AccessKey].who) {
    case "public":
      return null;
    case "session":
      return new RegExp(`\\bpageUser\\(\\s*${literal}`);
    case "organization":
      return new RegExp(`\\b(pageScope|handlerScope)\\(\\s*${literal}`);
    case "api_key":
      return new RegExp(`\\bauthenticateApiKey\\(\\s*request,\\s*${literal}`);
    case "widget":
      return new RegExp(`\\bauthenticateWidget\\(\\s*request,\\s*${literal}`);
    case "link":
      return new RegExp(`\\blinkScope\\(\\s*request,\\s*${literal}`);
    case "instance":
      return new RegExp(`\\b(pageI|i)nstanceScope\\(\\s*${literal}`);
  }
}

describe("the access registry", () => {
  it.each([...pages, ...handlers].map(({ file, key, text }) => [file, key, text]))(
    "%s is declared and demands what it declares",
    (_file, key, text) => {
      expect(Object.keys(access)).toContain(key);
      const demand = demandOf(key);
      if (demand) expect(text).toMatch(demand);
    },
  );

  it.each(actions.map((action) => [`${action.file} ${action.name}`, action] as const))(
    "%s is declared and permits before it does anything",
    (_name, { kind, permits, before }) => {
      expect(kind).toBe("function");
      expect(permits).toHaveLength(1);
      for (const { runner, accessKey } of permits) {
        expect(access[accessKey]?.who).toBe(runner.toLowerCase() || "organization");
      }
      expect(before).not.toMatch(/\bawait\s+\S/);
    },
  );

  it("lists nothing that does not exist", () => {
    const existing = [
      ...[...pages, ...handlers].map(({ key }) => key),
      ...actions.flatMap(({ permits }) => permits.map(({ accessKey }) => accessKey)),
    ];
    expect(Object.keys(access).filter((key) => !existing.includes(key))).toEqual([]);
  });

  it("knows every server action: they live in actions files only", () => {
    const elsewhere = [...app, ...sourcesUnder(root, "components"), ...sourcesUnder(root, "lib")]
      .filter(({ file }) => file !== "lib/auth/access.test.ts")
      .filter(({ text }) => /^\s*["']use server["']/m.test(text))
      .map(({ file }) => file)
      .filter((file) => path.basename(file) !== "actions.ts");
    expect(elsewhere).toEqual([]);
    for (const { text } of named("actions.ts")) expect(text).toMatch(/^"use server";/);
  });

  it("says of each place what tells of it, or why nothing does, and of each change what tells of it", () => {
    const undeclared = Object.entries(access).filter(
      ([, { seals }]) => !seals || seals.length === 0,
    );
    expect(undeclared).toEqual([]);
    const changes = Object.keys(access).filter((key) =>
      /^action:(create|update|delete|set|change|cancel|revoke|rotate|start|remove)/.test(key),
    ) as AccessKey[];
    const told = (key: AccessKey) =>
      sealedBy(key).length > 0 ||
      ["rehearses", "begins_a_log", "of_the_instance"].includes(String(access[key].seals));
    expect(changes.filter((key) => !told(key))).toEqual([]);
  });

  it("lets only lib/auth make a scope", () => {
    const makers = [...app, ...sourcesUnder(root, "components"), ...sourcesUnder(root, "lib")]
      .filter(({ text }) => /\bas unknown as (Instance)?Scope\b/.test(text))
      .map(({ file }) => file)
      .filter((file) => !file.startsWith("lib/auth/"));
    expect(makers).toEqual([]);
  });
});
