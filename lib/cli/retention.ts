import { type Command, InvalidArgumentError } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { AppError } from "@/lib/errors";
import { type Erasure, eraseEvents, planErasure } from "@/lib/retention/server/erase";
import { listHolds, placeHold, releaseHold } from "@/lib/retention/server/holds";
import { planPrune } from "@/lib/retention/server/plan";
import { pruneEvents } from "@/lib/retention/server/prune";
import { print, printTable, snakeCase } from "./output";

interface EraseOptions {
  org: string;
  actor?: string;
  target?: { type: string; id: string };
  keepContext?: boolean;
  metadata?: boolean;
  reason: string;
  yes?: boolean;
  json?: boolean;
}

function target(text: string): { type: string; id: string } {
  const at = text.indexOf(":");
  if (at < 1) throw new InvalidArgumentError("It must be type:id, such as user:usr_1.");
  return { type: text.slice(0, at), id: text.slice(at + 1) };
}

function instant(text: string): Date {
  const value = new Date(text);
  if (Number.isNaN(value.getTime())) throw new InvalidArgumentError("It must be an ISO 8601 time.");
  return value;
}

const count = (value: number) => value.toLocaleString("en-US");

async function erase({ org, json, yes, ...options }: EraseOptions): Promise<void> {
  if (!options.actor && !options.target)
    throw new AppError("invalid_request", "Say who: --actor <id>, --target <type:id>, or both.");
  const scope = systemScope("cli", org);
  const erasure: Erasure = {
    ...(options.actor ? { actor: options.actor } : {}),
    ...(options.target ? { target: options.target } : {}),
    context: !options.keepContext,
    metadata: options.metadata === true,
    reason: options.reason,
  };
  const plan = await planErasure(scope, erasure);
  const found =
    plan.events === 0
      ? "No event holds it."
      : `${count(plan.events)} events hold it, #${plan.firstSeq} to #${plan.lastSeq}; ${count(plan.exports)} export files may.`;
  if (!yes || plan.events === 0) {
    const hint = plan.events > 0 ? ["Nothing was changed. With --yes it is erased for good."] : [];
    return print(json, snakeCase(plan), [found, ...plan.beyond, ...hint].join("\n"));
  }
  const isWatched = process.stderr.isTTY;
  const erased = await eraseEvents(scope, erasure, (done) => {
    if (isWatched) process.stderr.write(`\r\x1b[K${count(done)} of ${count(plan.events)}`);
  });
  if (isWatched) process.stderr.write("\r\x1b[K");
  print(
    json,
    snakeCase({ ...plan, erased }),
    [`Erased from ${count(erased)} events.`, ...plan.beyond].join("\n"),
  );
}

export function register(program: Command): void {
  program
    .command("erase")
    .description(
      "Take a person out of a log that stays provable: fields go, hashes and commitments stay. Without --yes it only says what would go.",
    )
    .requiredOption("--org <id>", "the organization")
    .option("--actor <id>", "an actor's events lose the actor and its address")
    .option("--target <type:id>", "a target is taken out of the events it is in", target)
    .option("--keep-context", "keep address and user agent of the actor's events")
    .option("--metadata", "take the metadata of the actor's events too")
    .requiredOption("--reason <text>", "kept in the log with the erasure; not the person's name")
    .option("--yes", "do it")
    .option("--json", "print JSON")
    .action(erase);

  program
    .command("prune")
    .description(
      "Remove a log's beginning behind a signed record. Without --yes it only says what would go.",
    )
    .requiredOption("--org <id>", "the organization")
    .requiredOption("--before <time>", "events received before this go", instant)
    .option("--yes", "do it")
    .option("--json", "print JSON")
    .action(async (options: { org: string; before: Date; yes?: boolean; json?: boolean }) => {
      const scope = systemScope("cli", options.org);
      const run = options.yes ? pruneEvents : planPrune;
      const plan = await run(scope, options.before);
      const words = [
        plan.events === 0
          ? "Nothing is that old."
          : `${count(plan.events)} events, up to #${plan.size - 1}, ${options.yes ? "were removed" : "would go"}.`,
        ...(plan.newer > 0
          ? [`${count(plan.newer)} of them tell of a later time than that: late or imported ones.`]
          : []),
        ...plan.behind.map((name) => `The stream “${name}” has not delivered all of them.`),
        ...(options.yes || plan.events === 0
          ? []
          : ["Nothing was changed. With --yes they are removed for good."]),
      ];
      print(options.json, snakeCase(plan), words.join("\n"));
    });

  const hold = program
    .command("hold")
    .description("Legal holds: while one is open, nothing is erased or pruned.");
  hold
    .command("place")
    .requiredOption("--org <id>", "the organization")
    .requiredOption("--reason <text>", "kept in the log")
    .option("--json", "print JSON")
    .action(async ({ org, reason, json }: { org: string; reason: string; json?: boolean }) => {
      const placed = await placeHold(systemScope("cli", org), reason);
      print(json, snakeCase(placed), `Placed ${placed.id}`);
    });
  hold
    .command("release")
    .requiredOption("--org <id>", "the organization")
    .requiredOption("--id <id>", "the hold")
    .requiredOption("--reason <text>", "kept in the log")
    .action(async ({ org, id, reason }: { org: string; id: string; reason: string }) => {
      await releaseHold(systemScope("cli", org), id, reason);
      process.stdout.write(`Released ${id}\n`);
    });
  hold
    .command("list")
    .requiredOption("--org <id>", "the organization")
    .option("--json", "print JSON")
    .action(async ({ org, json }: { org: string; json?: boolean }) => {
      const holds = await listHolds(systemScope("cli", org));
      if (json) print(true, snakeCase(holds), "");
      else
        printTable(
          holds.map(({ id, reason, createdAt, releasedAt, isOnlySealed }) => ({
            id,
            placed: createdAt,
            released: releasedAt ?? (isOnlySealed ? "open, by the log" : "open"),
            reason,
          })),
        );
    });
}
