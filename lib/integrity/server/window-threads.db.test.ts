import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Verdict } from "../schema";
import { db, EVENTS, K, openUnguarded, run, sealedLog, verify } from "./test-damage";
import { derived, edits, structure } from "./test-damage-cases";
import { disableWindowThreads, enableWindowThreads } from "./window-threads";

const root = path.resolve(import.meta.dirname, "../../..");

/** A program as it is built for the product, where it finds the product's packages. */
async function bundle(name: string, source: { entry: string } | { text: string }): Promise<URL> {
  const outfile = path.join(root, `.build/test/${name}-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    ...("entry" in source
      ? { entryPoints: [source.entry] }
      : { stdin: { contents: source.text, resolveDir: root } }),
    ...{ outfile, bundle: true, platform: "node", format: "esm", packages: "external" },
  });
  return pathToFileURL(outfile);
}

let file: URL;
beforeAll(async () => {
  await openUnguarded();
  file = await bundle("check-windows", { entry: "lib/integrity/server/check-windows.ts" });
});
afterAll(() => db.close());
afterEach(disableWindowThreads);

const small = { threads: 2, fewestEvents: 1, window: 64 };

async function withThreads(log: string, thread = file): Promise<Verdict> {
  enableWindowThreads(thread, small);
  try {
    return await verify(log);
  } finally {
    disableWindowThreads();
  }
}

const said = ({
  started_at: _,
  finished_at: __,
  duration_ms: ___,
  rate_per_s: ____,
  ...rest
}: Verdict) => rest;

test("threads, one process and row by row say the same of a log that holds", async () => {
  const log = await sealedLog();
  const verdict = await withThreads(log);
  expect(verdict).toMatchObject({ ok: true, checked: EVENTS, last_seq: EVENTS - 1, findings: [] });
  expect(said(await verify(log))).toEqual(said(verdict));
  expect(said(await verify(log, true))).toEqual(said(verdict));
});

test.each([...edits, ...structure, ...derived])(
  "threads, one process and row by row say the same of $id: $kind",
  async ({ sql, kind }) => {
    const log = await sealedLog();
    await run(log, ...sql);
    const verdict = await withThreads(log);
    expect(verdict.kind).toBe(kind);
    expect(said(await verify(log))).toEqual(said(verdict));
    expect(said(await verify(log, true))).toEqual(said(verdict));
  },
);

test("damage at the first and the last number of a window is found where it is", async () => {
  for (const seq of [63, 64, EVENTS - 1]) {
    const log = await sealedLog();
    await run(log, `UPDATE events SET action = 'x' WHERE ORG AND seq = ${seq}`);
    expect(await withThreads(log)).toMatchObject({ kind: "edited_content", first_bad_seq: seq });
  }
});

test("a thread that ends makes the verification fail, whatever the log is", async () => {
  const log = await sealedLog(K);
  const dying = await bundle("dying", { text: "process.exit(3);" });
  await expect(withThreads(log, dying)).rejects.toThrow("a verifying thread ended with 3");
  const failing = await bundle("failing", { text: "throw new Error('no such module');" });
  await expect(withThreads(log, failing)).rejects.toThrow("no such module");
});
