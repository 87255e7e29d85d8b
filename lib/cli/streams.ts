import type { Command } from "commander";
import { z } from "zod";
import { systemScope } from "@/lib/auth/server/system-scope";
import { AppError } from "@/lib/errors";
import { reconcileStream } from "@/lib/integrity/server/reconcile";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { destinationForms } from "@/lib/streams/registry";
import {
  createStreamSchema,
  type Reconciliation,
  type StreamSummary,
  type TestResult,
} from "@/lib/streams/schema";
import { createStream, listStreams } from "@/lib/streams/server/streams";
import { testStream } from "@/lib/streams/server/test-stream";
import { print, printTable, snakeCase } from "./output";

interface AddOptions {
  org: string;
  name: string;
  destination: string;
  url?: string;
  set: string[];
  header: string[];
  secretStdin: string[];
  format?: string;
  filter?: string;
  from: string;
  json?: boolean;
}

async function readStdin(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk as string;
  return text.trim();
}

/** All of standard input for one secret, a line for each of several. */
async function readSecrets(names: string[]): Promise<[name: string, value: string][]> {
  if (names.length === 0) return [];
  const text = await readStdin();
  const values = names.length === 1 ? [text] : text.split("\n").map((line) => line.trim());
  if (values.length !== names.length)
    throw new AppError(
      "invalid_request",
      `Standard input has ${values.length} lines: write one for each of ${names.join(", ")}.`,
    );
  return names.map((name, at) => [name, values[at] as string]);
}

/** Splits `name: value` or `name=value`. */
function splitPair(text: string, option: string, mark: string): [name: string, value: string] {
  const at = text.indexOf(mark);
  if (at < 1) throw new AppError("invalid_request", `${option} ${text}: write NAME${mark} VALUE.`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** true and false of a switch; everything else is text. */
const parseValue = (text: string) => (text === "true" ? true : text === "false" ? false : text);

async function toInput(options: AddOptions): Promise<z.infer<typeof createStreamSchema>> {
  const headers = options.header.map((text) => splitPair(text, "--header", ":"));
  const secrets = Object.fromEntries([
    ...headers.map(([name, value]) => [`header:${name}`, value]),
    ...(await readSecrets(options.secretStdin)),
  ]);
  const { name, destination, url, format, filter, from } = options;
  const pairs = options.set.map((text) => splitPair(text, "--set", "="));
  const config = {
    ...(url ? { url } : {}),
    ...Object.fromEntries(pairs.map(([field, value]) => [field, parseValue(value)])),
    ...(headers.length > 0 ? { headers: headers.map(([header]) => header) } : {}),
  };
  const input = { name, destination, from, format, filter, config, secrets };
  const parsed = createStreamSchema.safeParse(input);
  if (!parsed.success) throw new AppError("invalid_request", z.prettifyError(parsed.error));
  return parsed.data;
}

/** What each destination asks for, a line per field. */
function destinationHelp(): string {
  return destinationForms()
    .map(({ id, about, fields, secrets, formats }) => {
      const set = fields.filter(({ kind }) => kind !== "headers").map(({ name }) => name);
      const hidden = secrets.map(({ name }) => name).filter((name) => name !== "header");
      return `  ${id}: ${about}\n    --set ${set.join(", ")}; secrets ${hidden.join(", ")}; formats ${formats.map((format) => format.id).join(", ")}`;
    })
    .join("\n");
}

function toRow(stream: StreamSummary): Record<string, string> {
  return {
    id: stream.id,
    state: stream.state,
    name: stream.name,
    to: stream.description,
    delivered: String(stream.delivered),
    waiting: `${stream.lagEvents} (${stream.lagS.toFixed(1)} s)`,
    "set aside": String(stream.deadLetters),
    "last error": stream.lastError ? `${stream.lastError.at} ${stream.lastError.message}` : "",
  };
}

function testWords(result: TestResult): string {
  if (result.ok) {
    return `The receiver took the test event: ${result.status} in ${result.latencyMs} ms.`;
  }
  const { message, advice } = result.problem ?? { message: "", advice: "" };
  const lines = [`The test event was not taken: ${message}`, advice, result.reply ?? ""];
  return lines.filter((line) => line !== "").join("\n");
}

function reconciliationWords(result: Reconciliation): string {
  const { finding, error, notCovered, objects, events, checkpoints, fromSeq, toSeq } = result;
  const others = finding && finding.others > 0 ? [`  and ${finding.others} more`] : [];
  const verdict = error
    ? [`Nothing can be said: ${error}`]
    : finding
      ? [`It differs: ${finding.detail}`, ...(finding.key ? [`  ${finding.key}`] : []), ...others]
      : toSeq > fromSeq
        ? [`#${fromSeq} to #${toSeq - 1} lie there as the log holds them.`]
        : ["Nothing was delivered yet that has to lie there."];
  const read = `Read: ${events} events in ${objects} objects, ${checkpoints} checkpoints.`;
  return [...verdict, read, ...notCovered.map((sentence) => `  ${sentence}`)].join("\n");
}

async function add(options: AddOptions): Promise<void> {
  const scope = systemScope("cli", options.org);
  const { stream, generatedSecrets } = await createStream(scope, await toInput(options));
  const secret = generatedSecrets.signing_secret;
  const words = [`Stream ${stream.id} delivers to ${stream.description}`];
  if (secret) words.push(`Signing secret, shown this once: ${secret}`);
  print(options.json, snakeCase({ ...stream, generatedSecrets }), words.join("\n"));
}

const collect = (value: string, previous: string[]) => [...previous, value];

export function register(program: Command): void {
  const streams = program
    .command("streams")
    .description("Forward an organization's events to a SIEM.");

  streams
    .command("add")
    .description("Add a stream; delivery begins at once.")
    .requiredOption("--org <id>", "organization")
    .requiredOption("--name <name>", "name shown in lists")
    .requiredOption("--destination <kind>", "one of those below")
    .option("--url <url>", "short for --set url=…")
    .option("--set <field=value>", "a field of the configuration, repeatable", collect, [])
    .option(
      "--header <name:value>",
      "webhook: custom header, repeatable; stored sealed",
      collect,
      [],
    )
    .option(
      "--secret-stdin <secret>",
      "read this secret from standard input; given several times, a line for each",
      collect,
      [],
    )
    .option("--format <format>", "what an event looks like; the destination's first when absent")
    .option("--filter <query>", "only events that match, in the explorer's language")
    .option(
      "--from <point>",
      "start: every event of the log; now: only later ones; a time such as 2026-03-01T00:00:00Z: those received since",
      "start",
    )
    .option("--json", "print the stream as JSON")
    .addHelpText(
      "after",
      () => `
Destinations:
${destinationHelp()}

Private and loopback addresses, plain http and unusual ports are refused
unless TRAILSEAL_EGRESS_ALLOW of this command and of the server names the receiver's address.

  printf %s "$HEC_TOKEN" | trailseal streams add --org org_… --name SOC --destination splunk \\
    --url https://splunk.example.com:8088 --secret-stdin token
  printf '%s\\n%s' "$KEY_ID" "$KEY" | trailseal streams add --org org_… --name Vault --destination s3 \\
    --set bucket=acme-audit --set region=eu-central-1 --secret-stdin accessKeyId --secret-stdin secretAccessKey`,
    )
    .action(add);

  streams
    .command("list")
    .description("Show an organization's streams with their health.")
    .requiredOption("--org <id>", "organization")
    .option("--json", "print as JSON")
    .action(async ({ org, json }: { org: string; json?: boolean }) => {
      const scope = systemScope("cli", org);
      await getOrganization(scope);
      const list = await listStreams(scope);
      if (json) print(json, snakeCase(list), "");
      else printTable(list.map(toRow));
    });

  streams
    .command("test")
    .description("Send one labelled event, outside the log; exit code 1 when it is not taken.")
    .argument("<stream>", "stream id")
    .requiredOption("--org <id>", "organization")
    .option("--json", "print as JSON")
    .action(async (id: string, { org, json }: { org: string; json?: boolean }) => {
      const result = await testStream(systemScope("cli", org), id);
      print(json, snakeCase(result), testWords(result));
      if (!result.ok) process.exitCode = 1;
    });

  streams
    .command("reconcile")
    .description("Read back what a stream put into a store and hold it against the log.")
    .argument("<stream>", "stream id")
    .requiredOption("--org <id>", "organization")
    .option("--whole", "from the stream's beginning, not from the last comparison")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExit code 0: no difference. 1: it differs, or cannot be read.")
    .action(async (id: string, options: { org: string; whole?: boolean; json?: boolean }) => {
      const { org, json, whole = false } = options;
      const result = await reconcileStream(systemScope("cli", org), id, { whole });
      print(json, snakeCase(result), reconciliationWords(result));
      if (result.finding || result.error) process.exitCode = 1;
    });
}
