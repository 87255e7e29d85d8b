import { execFileSync } from "node:child_process";
import path from "node:path";
import { runSql } from "./fixtures/log";
import { TestServer } from "./server";

export const ADMIN = { email: "admin@example.com", password: "correct horse battery" };

/** One production server for the suites that share it; its address and directory go to them by environment. */
export default async function setup(): Promise<() => Promise<void>> {
  // A first build takes longer than a start may.
  const ensure = path.resolve(import.meta.dirname, "../scripts/ensure.mjs");
  execFileSync(process.execPath, [ensure, "--build"], { stdio: "inherit" });
  const server = new TestServer({
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  await server.start();
  process.env.TRAILSEAL_TEST_URL = server.url;
  process.env.TRAILSEAL_TEST_DATA_DIR = server.dataDir;
  const options = ["--name", "tests", "--permissions", "organizations"];
  const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
  process.env.TRAILSEAL_TEST_KEY = key;
  // Tests count rows; those of denial and self-audit.spec.ts are about reads, too.
  await runSql(server, "ALTER TABLE organizations ALTER COLUMN read_sampling SET DEFAULT 0");
  return () => server.remove();
}
