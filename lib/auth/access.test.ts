import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type AccessKey, access } from "./access";

const root = path.resolve(import.meta.dirname, "../..");

interface Source {
  file: string;
  text: string;
}

function sourcesUnder(folder: string): Source[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("generated"))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, text: fs.readFileSync(path.join(root, file), "utf8") }));
}

const app = sourcesUnder("app");
const named = (name: string) => app.filter(({ file }) => path.basename(file) === name);

/** The URL path of a page or handler: folders in parentheses are not part of it. */
function routeOf(file: string): string {
  const parts = path.dirname(file).split(path.sep).slice(1);
  return `/${parts.filter((part) => !/^\(.*\)$/.test(part)).join("/")}`;
}

const pages = named("page.tsx").map((source) => ({
  ...source,
  key: `page:${routeOf(source.file)}`,
}));
const handlers = named("route.ts").map((source) => ({
  ...source,
  key: `handler:${routeOf(source.file)}`,
}));

const EXPORTED = /^export\s+(?:default\s+)?(?!type\b|interface\b)(?:async\s+)?(\w+)\s+(\w+)/gm;
const PERMITTED = /\brun(Public|Session|Instance|)Action\(\s*"(action:\w+)"/g;

/** Each exported function of an actions file with the text up to the next. */
const actions = named("actions.ts").flatMap(({ file, text }) => {
  const starts = [...text.matchAll(EXPORTED)];
  return starts.map((start, index) => ({
    file,
    kind: start[1],
    name: start[2] as string,
    text: text.slice(start.index, starts[index + 1]?.index),
  }));
});

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
    case "instance":
      return new RegExp(`\\binstanceScope\\(\\s*${literal}`);
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

  it.each(actions.map(({ file, name, ...rest }) => [`${file} ${name}`, rest] as const))(
    "%s is declared and permits before it does anything",
    (_name, { kind, text }) => {
      expect(kind).toBe("function");
      const permitted = [...text.matchAll(PERMITTED)];
      expect(permitted).toHaveLength(1);
      const [, runner, key] = permitted[0] as RegExpMatchArray;
      const who = access[key as AccessKey]?.who;
      expect(who).toBe(runner === "" ? "organization" : runner?.toLowerCase());
      expect(text.slice(0, permitted[0]?.index)).not.toMatch(/\bawait\s+\S/);
    },
  );

  it("knows every server action: they live in actions files only", () => {
    const elsewhere = [...app, ...sourcesUnder("components"), ...sourcesUnder("lib")]
      .filter(({ file }) => file !== "lib/auth/access.test.ts")
      .filter(({ text }) => /^\s*["']use server["']/m.test(text))
      .map(({ file }) => file)
      .filter((file) => path.basename(file) !== "actions.ts");
    expect(elsewhere).toEqual([]);
    for (const { text } of named("actions.ts")) expect(text).toMatch(/^"use server";/);
  });

  it("lets only lib/auth make a scope", () => {
    const makers = [...app, ...sourcesUnder("components"), ...sourcesUnder("lib")]
      .filter(({ text }) => /\bas unknown as (Instance)?Scope\b/.test(text))
      .map(({ file }) => file)
      .filter((file) => !file.startsWith("lib/auth/"));
    expect(makers).toEqual([]);
  });
});
