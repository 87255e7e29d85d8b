import { createReadStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { z } from "zod";
import { eventProof } from "@/lib/api/schema";
import type { Scope } from "@/lib/auth/scope";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { type BundleVerdict, verifyBundle } from "@/lib/chain/bundle";
import { type EventProof, verifyEventProof } from "@/lib/chain/event-proof";
import { type NoteKey, parseVkey, splitNotes } from "@/lib/chain/note";
import { AppError } from "@/lib/errors";
import { type ExportVerdict, verifyExport } from "@/lib/exports/verify-export";
import { proofInPage } from "@/lib/integrity/proof-page/page";
import type { Trust } from "@/lib/integrity/server/checkpoint-check";
import { verifyDirectory } from "@/lib/integrity/server/directory-check";
import { sampleLog } from "@/lib/integrity/server/sample-log";
import { recordVerification } from "@/lib/integrity/server/verification-jobs";
import { hostTrust, verifyLog } from "@/lib/integrity/server/verify";
import { verifyInstance } from "@/lib/integrity/server/verify-instance";
import { instanceWords } from "./instance-words";
import { print, snakeCase } from "./output";
import { showProgress, verdictWords } from "./verdict-words";

const receiptsSchema = z.array(
  z.object({ origin: z.string(), seq: z.int().min(0), chain_hash: z.hex().length(64) }),
);

const count = (value: number) => value.toLocaleString("en-US");

interface VerifyOptions {
  org?: string;
  bundle?: string;
  proof?: string;
  export?: string;
  manifest?: string;
  vkey: string[];
  checkpoints?: string;
  receipts?: string;
  newest?: boolean;
  sample?: number;
  directory?: boolean;
  all?: boolean;
  json?: boolean;
}

const collect = (value: string, before: string[]) => [...before, value];

export function register(program: Command): void {
  program
    .command("verify")
    .description(
      "Recompute an organization's log, or a bundle of one, and say whether it holds what was sealed.",
    )
    .option("--org <id>", "the organization, in this instance's database")
    .option("--bundle <file>", "a bundle of a log, checked without any database")
    .option("--proof <file>", "the proof of one event, JSON or HTML, checked without any database")
    .option("--export <file>", "the file of an export, held against its signed manifest")
    .option("--manifest <file>", "of the export; beside its file when left out")
    .option("--directory", "the log over all logs: whether each that was signed is still there")
    .option("--all", "every log and the directory, as after a restore")
    .option("--vkey <key>", "key that you trust for the file's log (repeatable)", collect, [])
    .option("--checkpoints <file>", "checkpoints that were kept elsewhere")
    .option("--receipts <file>", "JSON array of {origin, seq, chain_hash} that senders kept")
    .option("--newest", "only what came since the last verification that found nothing")
    .option("--sample <n>", "only as many events, each proven by itself: no verification", Number)
    .option("--json", "print JSON")
    .addHelpText("after", "\nExit code 0: verified. 1: broken, or nothing was checked.")
    .action((options: VerifyOptions, command: Command) => {
      if (options.bundle) return verifyFile(options.bundle, options);
      if (options.proof) return verifyProof(options.proof, options);
      if (options.export) return verifyExportFile(options.export, options);
      if (options.all) return verifyEverything(options);
      if (options.directory) return verifyAllLogs(options);
      if (options.org && options.sample) return sampleDatabase(options.org, options);
      if (options.org) return verifyDatabase(options.org, options);
      return command.error(
        "error: say what to verify: --org <id>, --all, --directory, --bundle <file>, --proof <file> or --export <file>",
      );
    });
}

async function verifyDatabase(organizationId: string, options: VerifyOptions): Promise<void> {
  const { json } = options;
  const isWatched = process.stderr.isTTY;
  const scope = systemScope("cli", organizationId);
  const verdict = await verifyLog(scope, {
    trust: await trustOf(scope, options),
    isNewestOnly: options.newest === true,
    ...(isWatched ? { onProgress: showProgress } : {}),
  });
  if (isWatched) process.stderr.write("\r\x1b[K");
  if (!verdict.ok) process.exitCode = 1;
  if (!options.newest) await recordVerification(scope, verdict);
  print(json, verdict, verdictWords(verdict));
}

async function verifyEverything({ json }: VerifyOptions): Promise<void> {
  const isWatched = process.stderr.isTTY;
  const verdict = await verifyInstance(
    systemInstanceScope("cli"),
    isWatched ? showProgress : undefined,
  );
  if (isWatched) process.stderr.write("\r\x1b[K");
  print(json, snakeCase(verdict), instanceWords(verdict, "a backup").join("\n"));
  if (!verdict.ok) process.exitCode = 1;
}

async function verifyAllLogs(options: VerifyOptions): Promise<void> {
  const { checkpoints } = await readEvidence(options);
  const verdict = await verifyDirectory(checkpoints);
  const findings = verdict.findings.map(
    ({ kind, origin, detail }) => `  ${origin ?? "the directory"}  ${kind}: ${detail}`,
  );
  print(
    options.json,
    verdict,
    verdict.ok
      ? [
          `${verdict.origin}: ${count(verdict.logs)} logs are there as far as they were signed; ${count(verdict.entries)} entries, ${count(verdict.checkpoints)} checkpoints met.`,
          ...verdict.not_covered.map((sentence) => `  ${sentence}`),
        ].join("\n")
      : ["Broken:", ...findings].join("\n"),
  );
  if (!verdict.ok) process.exitCode = 1;
}

async function sampleDatabase(organizationId: string, options: VerifyOptions): Promise<void> {
  const sample = await sampleLog(systemScope("cli", organizationId), options.sample as number);
  const percent = (100 * sample.finds_one_percent).toFixed(1);
  const failed = sample.failed.map(({ seq, detail }) => `  #${seq}  ${detail}`);
  print(
    options.json,
    sample,
    [
      `${count(sample.sampled - sample.failed.length)} of ${count(sample.sampled)} sampled events are proven, out of ${count(sample.population)}.`,
      ...failed,
      `If one event in a hundred were changed, this would find it with ${percent} %. It is no verification.`,
    ].join("\n"),
  );
  if (sample.failed.length > 0) process.exitCode = 1;
}

/** A key that is given replaces the one of this host; what this host's signer remembers counts with either. */
async function trustOf(scope: Scope, options: VerifyOptions): Promise<Trust | null> {
  const own = await hostTrust(scope, options.newest);
  const given = options.vkey.map(parseVkey);
  const isGiven = given.length > 0;
  if (!own && !isGiven) return null;
  const { checkpoints, receipts } = await readEvidence(options);
  return {
    signedSize: null,
    ...own,
    publicKeys: isGiven ? given.map(({ publicKey }) => publicKey) : (own?.publicKeys ?? []),
    ...(isGiven ? { origins: given.map(({ name }) => name) } : {}),
    checkpoints: [...(own?.checkpoints ?? []), ...checkpoints],
    receipts,
  };
}

async function readEvidence({ checkpoints, receipts }: VerifyOptions) {
  return {
    checkpoints: checkpoints ? await readNotes(checkpoints) : [],
    receipts: receipts ? receiptsSchema.parse(JSON.parse(await readFile(receipts, "utf8"))) : [],
  };
}

async function verifyFile(file: string, options: VerifyOptions): Promise<void> {
  const verdict = await verifyBundle(createInterface({ input: createReadStream(file) }), {
    trusted: trustedKeys(options),
    ...(await readEvidence(options)),
  });
  print(options.json, verdict, bundleWords(verdict));
  if (!verdict.ok) process.exitCode = 1;
}

function trustedKeys({ vkey }: VerifyOptions): NoteKey[] {
  if (vkey.length === 0)
    throw new AppError("invalid_request", "--vkey is missing: a file cannot vouch for itself.");
  return vkey.map(parseVkey);
}

async function verifyProof(file: string, options: VerifyOptions): Promise<void> {
  const proof = eventProof.parse(
    JSON.parse(proofInPage(await readFile(file, "utf8"))),
  ) as unknown as EventProof;
  const verdict = verifyEventProof(proof, trustedKeys(options));
  const { line, origin } = proof;
  print(
    options.json,
    verdict,
    verdict.ok
      ? `Verified: event ${line.event.id} is #${line.seq} of ${origin}.`
      : `Not proven (${verdict.failed}): ${verdict.detail}.`,
  );
  if (!verdict.ok) process.exitCode = 1;
}

async function verifyExportFile(file: string, options: VerifyOptions): Promise<void> {
  const { manifest = `${file}.manifest` } = options;
  for (const each of [file, manifest])
    if (!existsSync(each)) throw new AppError("invalid_request", `There is no file ${each}.`);
  const verdict = await verifyExport(
    createReadStream(file),
    createInterface({ input: createReadStream(manifest) }),
    trustedKeys(options),
  );
  const { manifest: _, ...rest } = verdict;
  print(options.json, rest, exportWords(verdict));
  if (!verdict.ok) process.exitCode = 1;
}

function exportWords({ ok, id, origin, rows, is_complete, ...verdict }: ExportVerdict): string {
  const { manifest, findings, not_covered } = verdict;
  if (!ok || !manifest)
    return [
      `Not the file that was signed: ${count(rows)} rows read.`,
      ...findings.map(({ kind, detail }) => `  ${kind}: ${detail}`),
    ].join("\n");
  const { first_seq: first, end_seq: end } = manifest.sequence;
  const whole = is_complete
    ? "With what was passed over they make the root that the checkpoint signs: no event of the log is unaccounted for."
    : "";
  return [
    `${id} of ${origin}: ${count(manifest.matching)} events, just as signed.`,
    `#${first} to #${end - 1} were looked at, ${count(manifest.passed_over)} passed over. ${whole}`.trim(),
    ...not_covered.map((sentence) => `  ${sentence}`),
  ].join("\n");
}

async function readNotes(file: string): Promise<string[]> {
  const notes = splitNotes(await readFile(file, "utf8"));
  if (notes.length === 0) throw new AppError("invalid_request", `${file} holds no checkpoint.`);
  return notes;
}

function bundleWords({ ok, origin, checked, signed_to, last_seq, ...rest }: BundleVerdict): string {
  const evidence = `${count(rest.checkpoints)} checkpoints and ${count(rest.receipts)} receipts met`;
  const findings = rest.findings.map(
    ({ seq, kind, detail }) => `  ${seq === null ? "log" : `#${seq}`}  ${kind}: ${detail}`,
  );
  const unsigned = last_seq === null ? 0 : Math.max(0, last_seq + 1 - signed_to);
  const later = unsigned > 0 ? ` ${count(unsigned)} later events are chained, not yet signed.` : "";
  return ok
    ? `${origin}: ${count(checked)} events verified, signed up to #${signed_to - 1}; ${evidence}.${later}`
    : [`Broken: ${count(checked)} events checked.`, ...findings].join("\n");
}
