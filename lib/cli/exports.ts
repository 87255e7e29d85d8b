import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { type Export, type ExportRequest, parseExportRequest } from "@/lib/exports/schema";
import { createExport, getExport, listExports, openExport } from "@/lib/exports/server/exports";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print, printTable, snakeCase } from "./output";

const LISTED = 50;

interface CreateOptions {
  org: string;
  from: string;
  to?: string;
  action: string[];
  actor: string[];
  actorName: string[];
  targetType: string[];
  json?: boolean;
}

function toRow(one: Export): Record<string, string> {
  return {
    id: one.id,
    state: one.state,
    from: one.search.range_start,
    to: one.search.range_end,
    events: String(one.events),
    bytes: String(one.bytes),
    created: one.createdAt,
    "kept until": one.expiresAt ?? "",
    error: one.error ?? "",
  };
}

function show(json: boolean | undefined, one: Export): void {
  const lines = Object.entries({ ...toRow(one), sha256: one.sha256 ?? "" });
  const words = lines
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value}`);
  print(json, snakeCase(one), words.join("\n"));
}

function toRequest(options: CreateOptions): ExportRequest {
  try {
    return parseExportRequest({
      organization_id: options.org,
      range_start: options.from,
      range_end: options.to ?? new Date().toISOString(),
      actions: options.action,
      actor_ids: options.actor,
      actor_names: options.actorName,
      targets: options.targetType,
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError("invalid_request", error.errors.map(({ code }) => code).join("; "));
  }
}

const collect = (value: string, previous: string[]) => [...previous, value];

export function register(program: Command): void {
  const exports = program
    .command("exports")
    .description("CSV files of an organization's events, made by the running server.");

  exports
    .command("create")
    .description(
      "Queue an export. Values of one option are alternatives; options narrow each other.",
    )
    .requiredOption("--org <id>", "the organization")
    .option("--from <time>", "first time to hold, RFC 3339", "0001-01-01T00:00:00Z")
    .option("--to <time>", "first time not to hold; now, when left out")
    .option("--action <action>", "repeatable", collect, [])
    .option("--actor <id>", "id of an actor, repeatable", collect, [])
    .option("--actor-name <name>", "repeatable", collect, [])
    .option("--target-type <type>", "repeatable", collect, [])
    .option("--json", "print JSON")
    .action(async (options: CreateOptions) => {
      const scope = systemScope("cli", options.org);
      await getOrganization(scope);
      const { organization_id: _, ...search } = toRequest(options);
      const made = await inTransaction(writePool(), (client) =>
        createExport(client, scope, search),
      );
      print(options.json, snakeCase(made), made.id);
    });

  exports
    .command("list")
    .description(`List the newest ${LISTED} exports.`)
    .requiredOption("--org <id>", "the organization")
    .option("--json", "print JSON")
    .action(async ({ org, json }: { org: string; json?: boolean }) => {
      const scope = systemScope("cli", org);
      await getOrganization(scope);
      const list = await listExports(scope, LISTED);
      if (json) print(json, snakeCase(list), "");
      else printTable(list.map(toRow));
    });

  exports
    .command("get")
    .description("Show how far an export is, or why it failed; exits 1 when it did.")
    .argument("<export>", "audit_log_export_…")
    .requiredOption("--org <id>", "the organization")
    .option("--json", "print JSON")
    .action(async (id: string, { org, json }: { org: string; json?: boolean }) => {
      const found = await getExport(systemScope("cli", org), id);
      show(json, found);
      if (found.state === "error") process.exitCode = 1;
    });

  exports
    .command("download")
    .description("Write the file of an export that is ready.")
    .argument("<export>", "audit_log_export_…")
    .requiredOption("--org <id>", "the organization")
    .option("--output <file>", "where to; standard output, when left out")
    .action(async (id: string, { org, output }: { org: string; output?: string }) => {
      const { file } = await openExport(systemScope("cli", org), id);
      // Events are personal data: for the caller's own eyes. Standard output stays open for others.
      if (output === undefined) await pipeline(file, process.stdout, { end: false });
      else await pipeline(file, createWriteStream(output, { mode: 0o600 }));
    });
}
