import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import type { TestDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createTestLog } from "@/lib/events/server/test-log";
import type { Import, ImportSetup } from "../schema";
import { type RunnerOptions, runImports } from "./import-jobs";
import { getImport } from "./imports";
import { receiveUpload } from "./receive-upload";

/** Uploads, workers and what they leave, for database tests. */

const running = new Set<() => Promise<void>>();
export function startRunner(options: RunnerOptions = {}): () => Promise<void> {
  const controller = new AbortController();
  const ended = runImports(controller.signal, { pollMs: 5, noteMs: 5, retryMs: 1, ...options });
  const stop = () => {
    controller.abort();
    running.delete(stop);
    return ended;
  };
  running.add(stop);
  return stop;
}
export const stopRunners = () => Promise.all([...running].map((stop) => stop()));

export const newScope = async (db: TestDatabase) => systemScope("cli", await createTestLog(db));
export const directory = () => path.join(getEnv().TRAILSEAL_DATA_DIR, "imports");
export const filesOf = (id: string) =>
  existsSync(directory()) ? readdirSync(directory()).filter((name) => name.startsWith(id)) : [];

export const upload = (scope: Scope, name: string, content: string | Buffer) =>
  receiveUpload(scope, name, Readable.from([Buffer.from(content)]), Buffer.byteLength(content));

export async function until(
  scope: Scope,
  id: string,
  isSo: (one: Import) => boolean,
): Promise<Import> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 5) {
    const one = await getImport(scope, id);
    if (isSo(one)) return one;
    await sleep(5);
  }
  throw new Error("waited too long");
}
/** The import as soon as it is over, and its worker has cleared up behind it. */
export async function ended(scope: Scope, id: string): Promise<Import> {
  const one = await until(scope, id, ({ state }) => state !== "queued" && state !== "running");
  await stopRunners();
  return one;
}

export interface Sealed {
  action: string;
  seq: number;
  targets: { id: string; name: string }[];
  metadata: Record<string, string>;
}
export async function sealed(db: TestDatabase, { organizationId }: Scope): Promise<Sealed[]> {
  const { rows } = await db.owner.query(
    `SELECT action, seq, targets, metadata FROM events WHERE organization_id = $1
       AND action LIKE 'trailseal.import\\_%ed' ORDER BY seq`,
    [organizationId],
  );
  return rows;
}
export const count = async (db: TestDatabase, { organizationId }: Scope) =>
  (
    await db.owner.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM events WHERE organization_id = $1 AND action NOT LIKE 'trailseal.%'",
      [organizationId],
    )
  ).rows[0]?.n;

export const NDJSON: ImportSetup = { mapping: null, guard: null };
export const line = (id: string | number) =>
  JSON.stringify({
    id: `source-${id}`,
    action: "a",
    occurred_at: "2026-01-02T03:04:05Z",
    actor: { type: "user", id: "u1" },
    targets: [],
  });
export const lines = (rows: number) => Array.from({ length: rows }, (_, at) => line(at)).join("\n");

export const CRM =
  "id,what,when,who,doc\n1,login,2026-01-02 03:04,mei,\n2,,2026-01-02 03:05,tom,d1\n1,logout,2026-01-02 03:06,mei,d2\n3,login,2026-01-02 03:07,ann,d3\n";

export async function crmSetup(scope: Scope, id: string): Promise<ImportSetup> {
  const { proposal } = (await getImport(scope, id)).source;
  if (!proposal) throw new Error("nothing is proposed");
  const { mapping } = proposal;
  return {
    guard: null,
    mapping: {
      ...mapping,
      row_id: ["id"],
      action: { column: "what" },
      occurred_at: { column: "when", format: "iso", zone: "UTC" },
      actor: { type: { constant: "user" }, id: { column: "who" } },
      targets: [{ type: { constant: "doc" }, id: { column: "doc" } }],
    },
  };
}
