import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { type Command, InvalidArgumentError } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { AppError } from "@/lib/errors";
import { parseImportedEvent } from "@/lib/events/schema";
import { ingestEvent } from "@/lib/events/server/ingest";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print } from "./output";

interface Unit {
  type: string;
  id: string;
}

interface Options {
  org: string;
  file?: string;
  action?: string;
  actor?: Unit;
  target: Unit[];
  key?: string;
  json?: boolean;
}

function unit(text: string): Unit {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1)
    throw new InvalidArgumentError("Write it as type:id, such as user:usr_1.");
  return { type: text.slice(0, colon), id: text.slice(colon + 1) };
}

async function readEvent(options: Options, command: Command): Promise<unknown> {
  if (options.file) {
    const content =
      options.file === "-" ? await text(process.stdin) : readFileSync(options.file, "utf8");
    try {
      return JSON.parse(content) as unknown;
    } catch (error) {
      throw new AppError(
        "invalid_request",
        `${options.file} is not JSON: ${(error as Error).message}`,
      );
    }
  }
  const { action, actor, target: targets } = options;
  if (!action || !actor) command.error("error: give --file, or --action and --actor");
  return {
    action,
    actor,
    targets,
    occurred_at: new Date().toISOString(),
    context: { location: "internal" },
  };
}

export function register(program: Command): void {
  const events = program.command("events").description("Single events.");

  events
    .command("send")
    .description("Store one event.")
    .requiredOption("--org <id>", "the organization")
    .option("--file <file>", "the event as JSON; - reads standard input")
    .option("--action <action>", "such as user.signed_in")
    .option("--actor <type:id>", "who did it", unit)
    .option(
      "--target <type:id>",
      "what it was done to; may be given several times",
      (value, list: Unit[]) => [...list, unit(value)],
      [],
    )
    .option("--key <key>", "idempotency key: the same key and event are stored once")
    .option("--json", "print JSON")
    .action(async (options: Options, command: Command) => {
      const scope = systemScope("cli", options.org);
      await getOrganization(scope);
      const parsed = parseImportedEvent(await readEvent(options, command));
      if (!parsed.ok) {
        const reasons = parsed.errors.map(({ field, code }) =>
          code === "required" ? `${field} is required` : code,
        );
        throw new AppError("invalid_event", `The event is not valid: ${reasons.join("; ")}`, {
          errors: parsed.errors,
        });
      }
      const { seq, id, chainHash, duplicate } = await ingestEvent(
        scope,
        parsed.value,
        options.key ?? null,
      );
      const receipt = {
        seq,
        id,
        chain_hash: chainHash?.toString("hex") ?? null,
        already_there: duplicate,
      };
      print(
        options.json,
        receipt,
        duplicate ? `Already there as #${seq}` : `Stored as #${seq}, ${id}`,
      );
    });
}
