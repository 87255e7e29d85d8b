import fs from "node:fs";
import path from "node:path";
import { z } from "zod";
import {
  type DatabaseUrls,
  type EmbeddedServer,
  embeddedUrls,
  startEmbedded,
} from "@/lib/db/embedded";
import { migrate } from "@/lib/db/migrate";
import { lockHolder, takeLock } from "@/lib/db/process-lock";
import type { Env } from "@/lib/env";

const WAIT_STEP_MS = 100;
const ATTACH_PATIENCE_MS = 120_000;

const infoSchema = z.object({
  pid: z.number(),
  url: z.string(),
  databasePort: z.number().nullable(),
});

/** In a data directory that a restore is filling: nothing is started there before it is done. */
export const restoreMarker = (dataDir: string): string => path.join(dataDir, "restore-unfinished");

/** What a running server tells the command line, in `instance.json` of the data directory. */
export type InstanceInfo = z.infer<typeof infoSchema>;

const lockFile = (env: Env) => path.join(env.TRAILSEAL_DATA_DIR, "instance.lock");
const infoFile = (env: Env) => path.join(env.TRAILSEAL_DATA_DIR, "instance.json");

function readInstanceInfo(env: Env): InstanceInfo | null {
  try {
    const info = infoSchema.parse(JSON.parse(fs.readFileSync(infoFile(env), "utf8")));
    return lockHolder(lockFile(env))?.pid === info.pid ? info : null;
  } catch {
    return null;
  }
}

export function writeInstanceInfo(env: Env, info: InstanceInfo): void {
  const fresh = `${infoFile(env)}.${process.pid}`;
  fs.writeFileSync(fresh, JSON.stringify(info), { mode: 0o600 });
  fs.renameSync(fresh, infoFile(env));
}

export interface OpenDatabase extends DatabaseUrls {
  /** Present when this process started the embedded server. */
  embedded: EmbeddedServer | null;
  close(): Promise<void>;
}

function exportUrls(urls: Required<DatabaseUrls>): void {
  process.env.DATABASE_URL = urls.appUrl;
  process.env.DATABASE_OWNER_URL = urls.ownerUrl;
  process.env.DATABASE_SIGNER_URL = urls.signerUrl;
  process.env.DATABASE_RETENTION_URL = urls.retentionUrl;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));

/** The logins of a database that is not ours to start; null: the embedded one is used. */
export function externalUrls(env: Env): DatabaseUrls | null {
  if (!env.DATABASE_URL) return null;
  if (!env.DATABASE_OWNER_URL)
    throw new Error("DATABASE_OWNER_URL is not set: it goes with DATABASE_URL, and migrates.");
  return {
    appUrl: env.DATABASE_URL,
    ownerUrl: env.DATABASE_OWNER_URL,
    ...(env.DATABASE_SIGNER_URL ? { signerUrl: env.DATABASE_SIGNER_URL } : {}),
    ...(env.DATABASE_RETENTION_URL ? { retentionUrl: env.DATABASE_RETENTION_URL } : {}),
  };
}

/**
 * Opens the instance's database, migrated, and points DATABASE_URL of this process at it: the external
 * one, the embedded one of a running server, or an embedded one started here.
 * @returns the running instance's address when `role` is server and another server has the directory.
 */
export async function openDatabase(
  env: Env,
  role: "server" | "cli",
  root: string,
): Promise<OpenDatabase | InstanceInfo> {
  const directory = path.join(root, "prisma/migrations");
  fs.mkdirSync(env.TRAILSEAL_DATA_DIR, { recursive: true });
  if (fs.existsSync(restoreMarker(env.TRAILSEAL_DATA_DIR)))
    throw new Error(
      `A restore into ${env.TRAILSEAL_DATA_DIR} was not finished. Remove what is there, and restore again.`,
    );
  const external = externalUrls(env);
  if (external) {
    await migrate({ ...external, directory });
    return { ...external, embedded: null, close: async () => undefined };
  }
  const deadline = Date.now() + ATTACH_PATIENCE_MS;
  for (;;) {
    const lock = takeLock(lockFile(env), role);
    if (typeof lock === "function") return startHere(env, directory, lock);
    const running = lock.role === "server" ? readInstanceInfo(env) : null;
    if (running && role === "server") return running;
    if (running?.databasePort) {
      const urls = embeddedUrls(env.TRAILSEAL_DATA_DIR, running.databasePort);
      exportUrls(urls);
      return { ...urls, embedded: null, close: async () => undefined };
    }
    if (Date.now() > deadline) {
      throw new Error(
        `Process ${lock.pid} has held ${env.TRAILSEAL_DATA_DIR} for two minutes without becoming ready. End it, or wait and try again.`,
      );
    }
    await pause();
  }
}

async function startHere(env: Env, directory: string, release: () => void): Promise<OpenDatabase> {
  try {
    const embedded = await startEmbedded(env.TRAILSEAL_DATA_DIR);
    try {
      await migrate({ ...embedded, directory });
    } catch (error) {
      await embedded.stop();
      throw error;
    }
    exportUrls(embedded);
    return {
      ownerUrl: embedded.ownerUrl,
      appUrl: embedded.appUrl,
      embedded,
      async close() {
        await embedded.stop();
        fs.rmSync(infoFile(env), { force: true });
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
