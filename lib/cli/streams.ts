import type { Command } from "commander";
import { z } from "zod";
import { systemScope } from "@/lib/auth/server/system-scope";
import { AppError } from "@/lib/errors";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { createStreamSchema, type StreamSummary, type TestResult } from "@/lib/streams/schema";
import { createStream, listStreams } from "@/lib/streams/server/streams";
import { testStream } from "@/lib/streams/server/test-stream";
import { print, printTable, snakeCase } from "./output";

interface AddOptions {
  org: string;
  name: string;
  destination: string;
  url: string;
  from: string;
  format?: string;
  header: string[];
  index?: string;
  sourcetype?: string;
  source?: string;
  secretStdin?: boolean;
  tokenStdin?: boolean;
  json?: boolean;
}

async function readStdin(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk as string;
  return text.trim();
}

/** `Name: value`, as headers are written. */
function splitHeader(text: string): [name: string, value: string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new AppError("invalid_request", `--header ${text}: write NAME: VALUE.`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

async function toInput(options: AddOptions): Promise<z.infer<typeof createStreamSchema>> {
  const headers = options.header.map(splitHeader);
  const secrets = Object.fromEntries(headers.map(([name, value]) => [`header:${name}`, value]));
  if (options.secretStdin) secrets.signing_secret = await readStdin();
  if (options.tokenStdin) secrets.token = await readStdin();
  const { name, destination, url, from, format, index, sourcetype, source } = options;
  const config =
    destination === "webhook"
      ? { url, format, headers: headers.map(([header]) => header) }
      : { url, index, sourcetype, source };
  const parsed = createStreamSchema.safeParse({ name, destination, from, config, secrets });
  if (!parsed.success) throw new AppError("invalid_request", z.prettifyError(parsed.error));
  return parsed.data;
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

async function add(options: AddOptions): Promise<void> {
  const scope = systemScope("cli", options.org);
  const { stream, generatedSecrets } = await createStream(scope, await toInput(options));
  const secret = generatedSecrets.signing_secret;
  const words = [`Stream ${stream.id} delivers to ${stream.config.url}`];
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
    .requiredOption("--destination <kind>", "webhook or splunk")
    .requiredOption(
      "--url <url>",
      "receiver: the webhook's address, or https://HOST:8088 of the collector",
    )
    .option("--from <point>", "start: every event of the log; now: only later ones", "start")
    .option("--format <format>", "webhook: json (an array) or ndjson")
    .option(
      "--header <name:value>",
      "webhook: custom header, repeatable; stored sealed",
      collect,
      [],
    )
    .option(
      "--secret-stdin",
      "webhook: read the signing secret (whsec_…) from standard input; else one is made",
    )
    .option("--token-stdin", "splunk: read the HEC token from standard input")
    .option("--index <name>", "splunk: index; else the token's own")
    .option("--sourcetype <name>", "splunk: default trailseal:audit")
    .option("--source <name>", "splunk: default trailseal")
    .option("--json", "print the stream as JSON")
    .addHelpText(
      "after",
      `
Private and loopback addresses, plain http and ports other than 443, 8443, 8088 and 9443 are refused
unless TRAILSEAL_EGRESS_ALLOW of this command and of the server names the receiver's address.

  printf %s "$HEC_TOKEN" | trailseal streams add --org org_… --name SOC --destination splunk \\
    --url https://splunk.example.com:8088 --token-stdin`,
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
}
