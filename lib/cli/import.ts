import { statSync } from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type CandidateOptions, reasonText } from "@/lib/import/candidates";
import { type DelimiterName, delimiterNames } from "@/lib/import/delimiters";
import { isExportedCsv } from "@/lib/import/exported-csv";
import { proposeMapping } from "@/lib/import/propose-mapping";
import { openCsv } from "@/lib/import/read-csv";
import { type ImportFormat, importFormats } from "@/lib/import/read-records";
import {
  type ImportProgress,
  type ImportSummary,
  PREVIEW_ROWS,
  previewImport,
  runImport,
} from "@/lib/import/run-import";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { findMapping } from "./mappings";
import { print } from "./output";

interface Options {
  org: string;
  format: ImportFormat;
  rejects: string;
  delimiter?: DelimiterName;
  mapping?: string;
  preview?: boolean;
  acceptGuarded?: boolean;
  keepApostrophes?: boolean;
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
  const { read, stored, already_there: known, repeats, rejected } = summary;
  process.stderr.write(
    `\r\x1b[K${bar} ${Math.floor(share * 100)} %  ${count(read)} read, ${count(stored)} stored, ${count(known)} already there, ${count(repeats)} repeats, ${count(rejected)} rejected`,
  );
}

function guardOf({ acceptGuarded, keepApostrophes }: Options): CandidateOptions["guard"] {
  if (acceptGuarded) return "strip";
  return keepApostrophes ? "keep" : undefined;
}

/** Prints a mapping to begin with for a file that needs one, exit code 1. @returns whether it did */
async function proposed(file: string, { delimiter }: Options): Promise<boolean> {
  const { header, rows, close } = await openCsv(file, delimiter);
  try {
    if (isExportedCsv(header)) return false;
    const { value } = await rows.next();
    const { mapping, notes } = proposeMapping(header, value?.cells ?? [], path.parse(file).name);
    const words = [
      `${file} is not an export of Trailseal: it needs a mapping. Nothing was stored.`,
      "A proposal is on standard output. Save it to a file, set source to the system's name, and look at the outcome with --mapping <file> --preview.",
      ...notes,
    ];
    process.stderr.write(`${words.join("\n")}\n`);
    print(false, null, JSON.stringify(mapping, null, 2));
    process.exitCode = 1;
    return true;
  } finally {
    close();
  }
}

async function showPreview(
  scope: Scope,
  file: string,
  source: CandidateOptions,
  json: boolean | undefined,
): Promise<void> {
  const { rows, looked, isTooLarge } = await previewImport(scope, file, source);
  if (isTooLarge)
    process.stderr.write(
      `${file} is too large to preview: it is read whole when it is imported.\n`,
    );
  for (const { number, event, reasons, repeats } of rows) {
    const { receivedOccurredAt: _, occurredAt, ...rest } = event ?? { occurredAt: null };
    const shown = event ? { ...rest, occurred_at: occurredAt } : null;
    const words = shown ? JSON.stringify(shown) : `rejected: ${reasons.map(reasonText).join("; ")}`;
    const note = repeats === null ? "" : `  (repeats line ${repeats}: not stored)`;
    print(
      json,
      { file, number, event: shown, reasons, repeats },
      `${file}:${number}  ${words}${note}`,
    );
    if (!event) process.exitCode = 1;
  }
  if (looked.repeats > 0 && !json)
    process.stderr.write(
      `${count(looked.repeats)} of the first ${count(looked.read)} rows have the identity of an earlier row of ${file} and would not be stored: look at row_id.
`,
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
    .addOption(
      new Option("--delimiter <name>", "csv: what separates cells; found, when left out").choices(
        delimiterNames,
      ),
    )
    .option("--mapping <file or name>", "csv of another system: how its columns become events")
    .option(
      "--preview",
      `show the first ${PREVIEW_ROWS} records of each file as events; store nothing`,
    )
    .addOption(
      new Option(
        "--accept-guarded",
        "csv: take off the apostrophes that an export put before formula signs",
      ).conflicts("keepApostrophes"),
    )
    .option("--keep-apostrophes", "csv: they are the events' own")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
cloudtrail  AWS CloudTrail log files; a record is recognised again by its eventID
ndjson      one event a line, as the API takes it; recognised by its id, else by its content;
            what the API or an export gives, with seq and hashes, is taken too
csv         an export of Trailseal made with raw=1, or rows of another system by way of --mapping;
            without a mapping one is proposed from the column names, and nothing is stored

Exit code 0: every record is stored. 1: some were rejected; the rejects file says which and why.`,
    )
    .action(async (files: string[], options: Options, command: Command) => {
      for (const file of files) {
        if (!statSync(file, { throwIfNoEntry: false })?.isFile())
          command.error(`error: there is no file ${file}`);
      }
      const scope = systemScope("cli", options.org);
      await getOrganization(scope);
      const { rejects: rejectsFile } = options;
      const source = {
        format: options.format,
        delimiter: options.delimiter,
        mapping: options.mapping ? await findMapping(scope, options.mapping) : undefined,
        guard: guardOf(options),
      };
      if (options.format === "csv" && !source.mapping) {
        for (const file of files) if (await proposed(file, options)) return;
      }
      if (options.preview) {
        for (const file of files) await showPreview(scope, file, source, options.json);
        return;
      }
      const started = performance.now();
      const summary = await runImport(scope, {
        ...source,
        files,
        rejectsFile,
        onProgress: showProgress,
      });
      if (process.stderr.isTTY) process.stderr.write("\n");
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      const words = [
        `${count(summary.read)} read, ${count(summary.stored)} stored, ${count(summary.already_there)} already there, ${count(summary.rejected)} rejected in ${seconds} s`,
        ...(summary.repeats > 0
          ? [
              `${count(summary.repeats)} not stored as repeats of a row of their own file: look at row_id of the mapping, or at the ids of the file`,
            ]
          : []),
        ...(summary.ignored
          ? [`Not taken over, as this log writes its own: ${summary.ignored.join(", ")}`]
          : []),
        ...(summary.rejected > 0 ? [`Rejected records and reasons: ${rejectsFile}`] : []),
        ...(summary.rejects_left_out
          ? [
              `${count(summary.rejects_left_out)} further rejected records are not in that file, which is full`,
            ]
          : []),
      ];
      print(options.json, summary, words.join("\n"));
      if (summary.rejected > 0) process.exitCode = 1;
    });
}
