import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { AppError } from "@/lib/errors";
import {
  type Export,
  type ExportFormat,
  exportFormats,
  type NewExport,
  parseExportRequest,
} from "@/lib/exports/schema";
import {
  cancelExport,
  getExport,
  listExports,
  openExport,
  requestExport,
  resumeExport,
} from "@/lib/exports/server/exports";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print, printTable, snakeCase } from "./output";

const LISTED = 50;

interface CreateOptions {
  org: string;
  format: ExportFormat;
  filter?: string;
  from?: string;
  to?: string;
  raw?: boolean;
  proof?: boolean;
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
    format: one.format,
    filter: one.search.q,
    from: one.search.range_start ?? "",
    to: one.search.range_end ?? "",
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

/** Times that were left out are no bounds. */
function toRequest(options: CreateOptions): NewExport {
  const isBundle = options.format === "bundle";
  try {
    const {
      format,
      search,
      options: file,
    } = parseExportRequest({
      organization_id: options.org,
      range_start: options.from ?? (isBundle ? null : "0001-01-01T00:00:00Z"),
      range_end: options.to ?? (isBundle ? null : "9999-12-31T23:59:59Z"),
      actions: options.action,
      actor_ids: options.actor,
      actor_names: options.actorName,
      targets: options.targetType,
      format: options.format,
      filter: options.filter,
      raw: options.raw === true,
      proof: options.proof === true,
    });
    const range = {
      range_start: options.from ? search.range_start : null,
      range_end: options.to ? search.range_end : null,
    };
    return { format, search: { ...search, ...range }, options: file };
  } catch (error) {
    if (!(error instanceof AppError) || error.errors.length === 0) throw error;
    throw new AppError("invalid_request", error.errors.map(({ code }) => code).join("; "));
  }
}

const collect = (value: string, previous: string[]) => [...previous, value];

export function register(program: Command): void {
  const exports = program
    .command("exports")
    .description(
      "Files of an organization's events, made by the running server, each with a signed manifest.",
    );

  exports
    .command("create")
    .description(
      "Queue an export. Values of one option are alternatives; options narrow each other.",
    )
    .requiredOption("--org <id>", "the organization")
    .addOption(
      new Option("--format <format>", "what the file is").choices(exportFormats).default("csv"),
    )
    .option("--filter <query>", "in the explorer's language, as in 'actor:usr_7 action:user.*'")
    .option("--from <time>", "first time to hold, RFC 3339")
    .option("--to <time>", "first time not to hold")
    .option("--action <action>", "repeatable", collect, [])
    .option("--actor <id>", "id of an actor, repeatable", collect, [])
    .option("--actor-name <name>", "repeatable", collect, [])
    .option("--target-type <type>", "repeatable", collect, [])
    .option("--raw", "cells that a spreadsheet would take for formulas stay as they are")
    .option(
      "--proof",
      "the manifest accounts for every event that the filter passes over, against the signed root",
    )
    .option("--json", "print JSON")
    .action(async (options: CreateOptions) => {
      const scope = systemScope("cli", options.org);
      await getOrganization(scope);
      const made = await requestExport(scope, toRequest(options));
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
      const list = await listExports(scope, null, LISTED);
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
      if (found.state === "failed" || found.state === "cancelled") process.exitCode = 1;
    });

  exports
    .command("cancel")
    .description("Stop an export that waits or is being made.")
    .argument("<export>", "audit_log_export_…")
    .requiredOption("--org <id>", "the organization")
    .action(async (id: string, { org }: { org: string }) => {
      await cancelExport(systemScope("cli", org), id);
      process.stdout.write(`Cancelled ${id}\n`);
    });

  exports
    .command("resume")
    .description("Let an export that failed go on behind what is safe of it.")
    .argument("<export>", "audit_log_export_…")
    .requiredOption("--org <id>", "the organization")
    .action(async (id: string, { org }: { org: string }) => {
      await resumeExport(systemScope("cli", org), id);
      process.stdout.write(`Queued ${id}\n`);
    });

  exports
    .command("download")
    .description("Write the file of an export that is ready, and its manifest beside it.")
    .argument("<export>", "audit_log_export_…")
    .requiredOption("--org <id>", "the organization")
    .option("--output <file>", "where to; standard output, without the manifest, when left out")
    .action(async (id: string, { org, output }: { org: string; output?: string }) => {
      const scope = systemScope("cli", org);
      const { file } = await openExport(scope, id);
      // Standard output stays open for others.
      if (output === undefined) return pipeline(file, process.stdout, { end: false });
      // Events are personal data: for the caller's own eyes.
      await pipeline(file, createWriteStream(output, { mode: 0o600 }));
      if (!(await getExport(scope, id)).hasManifest) return;
      const manifest = await openExport(scope, id, { isManifest: true });
      await pipeline(manifest.file, createWriteStream(`${output}.manifest`, { mode: 0o600 }));
    });
}
