import { afterAll, beforeAll, expect, it } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { parseExportInput } from "../schema";
import {
  cancelExport,
  deleteExport,
  requestExport,
  resumeExport,
  revokeLinks,
  sealDownload,
} from "./exports";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

it("every change of an export and every download is an event that names it and what it holds; a refused one is none", async () => {
  const log = await createTestLog(db);
  const scope = systemScope("cli", log);
  const input = { format: "csv", q: "action:doc.*", from: null, to: null, options: {} };
  const { id } = await requestExport(scope, parseExportInput(input));
  const toState = (state: string) =>
    db.owner.query("UPDATE exports SET state = $2 WHERE id = $1", [id, state]);
  await expect(revokeLinks(scope, id)).rejects.toMatchObject({ code: "conflict" });
  await toState("failed");
  await resumeExport(scope, id);
  await toState("ready");
  await sealDownload(scope, id);
  await revokeLinks(scope, id);
  await deleteExport(scope, id);
  await toState("running");
  await cancelExport(scope, id);
  const { rows } = await db.owner.query(
    "SELECT action, targets, metadata FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  const steps = ["requested", "resumed", "downloaded", "links_revoked", "deleted", "cancelled"];
  expect(rows).toEqual(
    steps.map((step) => ({
      action: `trailseal.export_${step}`,
      targets: [{ type: "audit_log_export", id }],
      metadata: { format: "csv", q: "action:doc.*" },
    })),
  );
});
