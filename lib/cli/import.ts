import { statSync } from "node:fs";
import { type Command, Option } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type ImportFormat, importFormats } from "@/lib/import/read-records";
import { type ImportProgress, type ImportSummary, runImport } from "@/lib/import/run-import";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print } from "./output";

interface Options {
  org: string;
  format: ImportFormat;
  rejects: string;
  json?: boolean;
}

const BAR_WIDTH = 24;
const count = (value: number) => value.toLocaleString("en-US");

/** Progress on standard error while somebody watches: bytes of the files, records so far. */
function showProgress(summary: ImportSummary, { readBytes, totalBytes }: ImportProgress): void {
  if (!process.stderr.isTTY) return;
  const share = totalBytes === 0 ? 1 : readBytes / totalBytes;
  const filled = Math.round(BAR_WIDTH * share);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  const { read, stored, already_there: known, rejected } = summary;
  process.stderr.write(
    `\r\x1b[K${bar} ${Math.floor(share * 100)} %  ${count(read)} read, ${count(stored)} stored, ${count(known)} already there, ${count(rejected)} rejected`,
  );
}

export function register(program: Command): void {
  program
    .command("import")
    .description(
      "Store events from files. Run it again whenever you like: nothing is stored twice.",
    )
    .argument("<files...>", "files to read, plain or .gz")
    .requiredOption("--org <id>", "the organization they belong to")
    .addOption(
      new Option("--format <format>", "what the files hold")
        .choices(importFormats)
        .makeOptionMandatory(),
    )
    .option("--rejects <file>", "where rejected records go, with reasons", "import.rejects.ndjson")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
cloudtrail  AWS CloudTrail log files; a record is recognised again by its eventID
ndjson      one event a line, as the API takes it; recognised by its id, else by its content

Exit code 0: every record is stored. 1: some were rejected; the rejects file says which and why.`,
    )
    .action(async (files: string[], options: Options, command: Command) => {
      for (const file of files) {
        if (!statSync(file, { throwIfNoEntry: false })?.isFile())
          command.error(`error: there is no file ${file}`);
      }
      const scope = systemScope("cli", options.org);
      await getOrganization(scope);
      const started = performance.now();
      const { format, rejects: rejectsFile } = options;
      const summary = await runImport(scope, {
        format,
        files,
        rejectsFile,
        onProgress: showProgress,
      });
      if (process.stderr.isTTY) process.stderr.write("\n");
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      const words = [
        `${count(summary.read)} read, ${count(summary.stored)} stored, ${count(summary.already_there)} already there, ${count(summary.rejected)} rejected in ${seconds} s`,
        ...(summary.rejected > 0 ? [`Rejected records and reasons: ${rejectsFile}`] : []),
      ];
      print(options.json, summary, words.join("\n"));
      if (summary.rejected > 0) process.exitCode = 1;
    });
}
