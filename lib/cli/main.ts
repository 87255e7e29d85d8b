import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command, CommanderError } from "commander";
import { closePools } from "@/lib/db/pool";
import { parseEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { enableWindowThreads } from "@/lib/integrity/server/window-threads";
import { openDatabase } from "@/lib/server/instance";
import * as alert from "./alert";
import * as backup from "./backup";
import * as bundle from "./bundle";
import * as drill from "./drill";
import * as epoch from "./epoch";
import * as eventsSend from "./events-send";
import * as exportFiles from "./exports";
import * as importFiles from "./import";
import * as keys from "./keys";
import * as mappings from "./mappings";
import * as orgs from "./orgs";
import * as restore from "./restore";
import * as retention from "./retention";
import * as retentionRun from "./retention-run";
import * as schemas from "./schemas";
import * as secrets from "./secrets";
import * as seed from "./seed";
import * as signingKey from "./signing-key";
import * as sso from "./sso";
import * as streams from "./streams";
import * as users from "./users";
import * as verify from "./verify";

const commands = [
  orgs,
  keys,
  users,
  sso,
  importFiles,
  mappings,
  eventsSend,
  exportFiles,
  streams,
  schemas,
  verify,
  bundle,
  drill,
  retention,
  retentionRun,
  backup,
  restore,
  epoch,
  alert,
  signingKey,
  secrets,
  seed,
];

enableWindowThreads(new URL("./check-windows.mjs", import.meta.url));

function createProgram(root: string): Command {
  const program = new Command("trailseal")
    .description("Operate a Trailseal audit log from the command line.")
    .addHelpText(
      "after",
      `
The command finds the running server's database by itself (TRAILSEAL_DATA_DIR, or DATABASE_URL and
DATABASE_OWNER_URL); when no server runs, it starts the embedded database for as long as it needs it.

First steps:
  trailseal orgs create --name "Acme"
  trailseal keys create --name "my app" --org org_…
  trailseal import --org org_… --format cloudtrail logs/*.json
  trailseal verify --org org_…`,
    )
    .showHelpAfterError("(trailseal --help lists the commands)")
    .exitOverride();
  for (const { register } of commands) register(program, root);
  return program;
}

/** Whoever checks a file need not have one; a restore opens the one that it makes. */
function needsNoDatabase(command: Command): boolean {
  const { bundle, proof, export: file, check } = command.opts();
  switch (`${command.parent?.name()} ${command.name()}`) {
    case "trailseal verify":
      return Boolean(bundle || proof || file);
    case "trailseal backup":
      return Boolean(check);
    case "trailseal restore":
    case "backup list":
      return true;
    default:
      return false;
  }
}

/** A drill damages what it is pointed at: it gets an embedded database of its own. */
function isolate(): void {
  process.env.TRAILSEAL_DATA_DIR = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-drill-"));
  delete process.env.DATABASE_URL;
  delete process.env.DATABASE_OWNER_URL;
  delete process.env.DATABASE_SIGNER_URL;
  delete process.env.DATABASE_RETENTION_URL;
}

/**
 * Runs one command.
 * @returns the exit code: 0 done, 1 the command's own "no" (broken chain, rejected lines), 2 wrong usage.
 */
export async function main(argv: string[], root: string): Promise<number> {
  // Who reads our output, `head` for one, may have seen enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // As a signal would end it: what was cut short is no success.
    if (error.code === "EPIPE")
      process.exit(process.exitCode || 128 + os.constants.signals.SIGPIPE);
    if (process.stdout.listenerCount("error") === 1) throw error;
  });
  process.env.TRAILSEAL_DATA_DIR ??= path.join(root, ".data");
  let close = async (): Promise<void> => undefined;
  const program = createProgram(root).hook("preAction", async (_program, command) => {
    if (needsNoDatabase(command)) return;
    if (command.name() === "drill") isolate();
    const opened = await openDatabase(parseEnv(process.env), "cli", root);
    if (!("close" in opened)) return;
    close = async () => {
      await opened.close();
      if (command.name() === "drill")
        fs.rmSync(process.env.TRAILSEAL_DATA_DIR as string, { recursive: true });
    };
  });
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof AppError)) throw error;
    console.error(`trailseal: ${error.message}`);
    return 1;
  } finally {
    await closePools();
    await close();
  }
}
