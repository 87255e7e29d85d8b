import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { newId } from "@/lib/ids";
import type { ImportSetup } from "../schema";
import {
  cancelImport,
  deleteImport,
  getImport,
  listImports,
  openRejects,
  previewUpload,
  recogniseAgain,
  startImport,
} from "./imports";
import { receiveUpload } from "./receive-upload";

import {
  CRM,
  crmSetup,
  directory,
  filesOf,
  line,
  NDJSON,
  newScope,
  stopRunners,
  upload,
} from "./test-imports";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
afterEach(stopRunners);

describe("an upload", () => {
  test("is kept as it came, with its SHA-256, and taken for what it is", async () => {
    const scope = await newScope(db);
    const one = await upload(scope, "CRM export.csv", CRM);
    expect(one).toMatchObject({
      state: "uploaded",
      bytes: CRM.length,
      sha256: createHash("sha256").update(CRM).digest("hex"),
      source: { format: "csv", delimiter: "comma", isOwn: false, problem: null },
    });
    expect(one.source.columns[1]).toEqual({ name: "what", samples: ["login", "logout"] });
    expect(one.source.proposal?.mapping).toMatchObject({ source: "CRM export", row_id: ["id"] });
    const [name] = filesOf(one.id);
    expect(readFileSync(path.join(directory(), name as string), "utf8")).toBe(CRM);
    const packed = await upload(scope, "events.bin", gzipSync(line(1)));
    expect(packed.source.format).toBe("ndjson");
    const trail = await upload(scope, "trail.json", '{"Records": []}');
    expect(trail.source.format).toBe("cloudtrail");
  });

  test("that breaks off, or is larger than the operator allows, leaves nothing behind", async () => {
    const scope = await newScope(db);
    const before = existsSync(directory()) ? readdirSync(directory()) : [];
    await expect(
      receiveUpload(scope, "a.csv", Readable.from([Buffer.from("abc")]), 10),
    ).rejects.toThrow("ended before the file did");
    const broken = new Readable({
      read() {
        this.push("abc");
        this.destroy(new Error("gone"));
      },
    });
    await expect(receiveUpload(scope, "a.csv", broken, null)).rejects.toThrow("gone");
    await expect(receiveUpload(scope, "a.csv", Readable.from([]), 0)).rejects.toThrow("empty");
    const env = getEnv();
    const most = env.TRAILSEAL_IMPORT_MAX_BYTES;
    env.TRAILSEAL_IMPORT_MAX_BYTES = 5;
    try {
      for (const declared of [10, null])
        await expect(
          receiveUpload(scope, "a.csv", Readable.from([Buffer.from("0123456789")]), declared),
        ).rejects.toMatchObject({ code: "too_large" });
    } finally {
      env.TRAILSEAL_IMPORT_MAX_BYTES = most;
    }
    expect(readdirSync(directory())).toEqual(before);
    expect(await listImports(scope, null, 10)).toEqual([]);
  });

  test("counts from its first byte: no more than three of an organization come in at once, nor ten wait", async () => {
    const scope = await newScope(db);
    const open = [1, 2, 3].map(() => new PassThrough());
    const coming = open.map((content) => receiveUpload(scope, "a.ndjson", content, null));
    await sleep(100);
    await expect(upload(scope, "b.ndjson", line(1))).rejects.toMatchObject({
      code: "rate_limited",
      message: expect.stringContaining("being uploaded just now"),
    });
    const elsewhere = await upload(await newScope(db), "b.ndjson", line(1));
    expect(elsewhere.state).toBe("uploaded");
    for (let at = 0; at < 8; at += 1) {
      // As other processes would take them in.
      await db.owner.query(
        `INSERT INTO imports (organization_id, id, file_name, bytes, sha256, packed, source, created_by)
         SELECT $1, $2, file_name, bytes, sha256, packed, source, created_by FROM imports WHERE id = $3`,
        [scope.organizationId, newId("import"), elsewhere.id],
      );
    }
    for (const content of open) content.end(line(1));
    const ends = await Promise.allSettled(coming);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(ends.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "rate_limited", message: expect.stringContaining("10 files") },
    });
    await db.owner.query("DELETE FROM imports WHERE organization_id = $1", [scope.organizationId]);
    expect((await upload(scope, "b.ndjson", line(1))).state).toBe("uploaded");
  });

  test("is corrected by whoever knows better, and a file that is no such thing says why", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "a.csv", "a;b,c\n1;2,3\n");
    const comma = await recogniseAgain(scope, id, { format: "csv", delimiter: "comma" });
    expect(comma.source.columns.map(({ name }) => name)).toEqual(["a;b", "c"]);
    const wide = await upload(scope, "wide.csv", Buffer.from("\uFEFFa,b\n1,2\n", "utf16le"));
    expect(wide.source.problem).toBe(
      "wide.csv cannot be imported: it is UTF-16: save it as UTF-8 (“CSV UTF-8” in a spreadsheet) first.",
    );
    await expect(startImport(scope, wide.id, NDJSON)).rejects.toThrow("UTF-16");
    const odd = await upload(scope, "$& $1.csv", Buffer.from("\uFEFFa\n", "utf16le"));
    expect(odd.source.problem).toMatch(/^\$& \$1\.csv cannot/);
  });

  test("of our own CSV with apostrophes starts when somebody has said what becomes of them", async () => {
    const scope = await newScope(db);
    const header =
      "id,organization_id,action,version,occurred_at,recorded_at,actor_type,actor_id,actor_name,actor_metadata,targets,location,user_agent,context,metadata,seq,chain_hash";
    const row = `audit_event_1,org_x,a,1,2026-01-02T03:04:05.000Z,2026-01-02T03:04:05.000Z,user,u1,'=1+1,,[],,,,,0,00`;
    const { id, source } = await upload(scope, "own.csv", `${header}\n${row}\n`);
    expect(source).toMatchObject({ isOwn: true, guardLine: 2, proposal: null });
    await expect(startImport(scope, id, NDJSON)).rejects.toThrow("taken off or kept");
    const nameAfter = async (guard: "strip" | "keep") =>
      (await previewUpload(scope, id, { mapping: null, guard })).rows[0]?.event?.actor.name;
    expect(await nameAfter("keep")).toBe("'=1+1");
    expect(await nameAfter("strip")).toBe("=1+1");
  });
});

test("a CloudTrail file that is large unpacked is not read for a preview, and can be started all the same", async () => {
  const scope = await newScope(db);
  const content = gzipSync(`{"Records":[${"{},".repeat(4_000_000)}{}]}`);
  const { id } = await upload(scope, "trail.json.gz", content);
  expect(await previewUpload(scope, id, NDJSON)).toMatchObject({ rows: [], isTooLarge: true });
  const small = await upload(scope, "trail.json", '{"Records": [{}]}');
  const both = [1, 2].map(() => previewUpload(scope, small.id, NDJSON));
  for (const one of await Promise.all(both))
    expect(one).toMatchObject({ looked: { read: 1, rejected: 1 }, isTooLarge: false });
  expect((await startImport(scope, id, NDJSON)).state).toBe("queued");
});

test("another organization sees and reaches nothing of it", async () => {
  const [scope, elsewhere] = [await newScope(db), await newScope(db)];
  const { id } = await upload(scope, "CRM.csv", CRM);
  const setup = await crmSetup(scope, id);
  for (const touch of [
    () => getImport(elsewhere, id),
    () => recogniseAgain(elsewhere, id, { format: "csv", delimiter: null }),
    () => previewUpload(elsewhere, id, setup),
    () => startImport(elsewhere, id, setup),
    () => cancelImport(elsewhere, id),
    () => deleteImport(elsewhere, id),
    () => openRejects(elsewhere, id),
  ])
    await expect(touch()).rejects.toMatchObject({ code: "not_found" });
  expect(await listImports(elsewhere, null, 10)).toEqual([]);
  expect(filesOf(id)).toHaveLength(1);
});

test("imports are listed newest first, page by page", async () => {
  const scope = await newScope(db);
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) ids.unshift((await upload(scope, name, line(name))).id);
  const page = async (before: string | null) =>
    (await listImports(scope, before, 2)).map(({ id }) => id);
  expect(await page(null)).toEqual(ids.slice(0, 2));
  expect(await page(ids[1] as string)).toEqual(ids.slice(2));
});

test("a list leaves out the columns of files, which it would carry each second", async () => {
  const scope = await newScope(db);
  const { source } = await upload(scope, "CRM.csv", CRM);
  expect(source.columns).toHaveLength(5);
  expect(await listImports(scope, null, 10)).toMatchObject([
    { source: { ...source, columns: [], proposal: null } },
  ]);
});

test("a mapped key of metadata that a kept column has as its name is refused, not overwritten", async () => {
  const scope = await newScope(db);
  const { id } = await upload(scope, "CRM.csv", CRM);
  const { mapping, guard } = await crmSetup(scope, id);
  const clash = {
    guard,
    mapping: { ...mapping, targets: [], metadata: { doc: { constant: "x" } } },
  } as ImportSetup;
  for (const refuse of [previewUpload, startImport])
    await expect(refuse(scope, id, clash)).rejects.toThrow(
      "metadata.doc is mapped, and the column “doc” of CRM.csv",
    );
});
