import type { Command } from "commander";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { ownerPool } from "@/lib/db/owner-pool";
import { AppError } from "@/lib/errors";
import type { RetentionPlan } from "@/lib/retention/schema";
import { planRetention, readEnds } from "@/lib/retention/server/plan";
import { logsWithRetention, type RunOutcome, runRetention } from "@/lib/retention/server/run";
import { print, snakeCase } from "./output";

interface Options {
  org?: string;
  yes?: boolean;
  json?: boolean;
}

const count = (value: number) => value.toLocaleString("en-US");
const day = (iso: string | null) => iso?.slice(0, 10) ?? "";

function policyWords({ days, source, graceDays }: RetentionPlan): string {
  if (days === null) return "Everything is kept: no period is set, here or for the instance.";
  const whose = source === "organization" ? "its own period" : "the instance's default";
  return `Events are kept for ${days} days (${whose}) and ${graceDays} days of grace.`;
}

function planWords(plan: RetentionPlan): string[] {
  const { state, events, before, oldest, newest, size, newer, outliving } = plan;
  const words = [`${plan.organizationId}: ${policyWords(plan)}`];
  const say = (sentence: string) => words.push(`  ${sentence}`);
  if (plan.refusal) say(plan.refusal);
  else if (plan.days !== null && plan.since === null)
    say("The policy is not sealed in the log yet: the grace period begins when it is.");
  if (before && events === 0) say(`Nothing was received before ${day(before)}.`);
  if (before && events > 0)
    say(
      `${count(events)} events that were received before ${day(before)} are due: up to #${size - 1}, received ${day(oldest)} to ${day(newest)}.`,
    );
  if (newer > 0)
    say(`${count(newer)} of them tell of a later time than that, and go by their receipt.`);
  if (outliving > 0)
    say(
      `${count(outliving)} events tell of a time before that and stay, since they were received later: back-dated imports.`,
    );
  for (const name of plan.behind)
    say(
      `The stream “${name}” has not delivered all of them${plan.undelivered === "delete" ? ", and is not waited for." : ": they wait for it."}`,
    );
  for (const { id, reason, isOnlySealed } of plan.holds)
    say(
      `Under a legal hold: ${id}, ${reason}.${isOnlySealed ? " It was released or removed in the database, but the log has no event of that." : ""}`,
    );
  if (plan.unfinished > 0)
    say(
      `${count(plan.unfinished)} events of an earlier deletion are still there and go with the next.`,
    );
  if (state === "held") say("Nothing goes until the hold is released.");
  return words;
}

async function plan({ org, json }: Options): Promise<void> {
  const scopes = org
    ? [systemScope("cli", org)]
    : await logsWithRetention(systemInstanceScope("cli"));
  const plans: RetentionPlan[] = [];
  for (const scope of scopes) plans.push(await planRetention(scope));
  print(
    json,
    snakeCase(plans),
    plans.length === 0
      ? "No organization has a period, and the instance has no default (TRAILSEAL_RETENTION_DAYS)."
      : plans.flatMap(planWords).join("\n"),
  );
}

function outcomeWords(outcome: RunOutcome): string[] {
  const { removed, error, organizationId } = outcome;
  if (error !== null)
    return [
      ...planWords(outcome),
      ...(error === outcome.refusal ? [] : [`  Not finished: ${error}`]),
    ];
  if (removed > 0) return [`${organizationId}: ${count(removed)} events were deleted.`];
  return planWords(outcome);
}

async function run({ org, json, yes }: Options): Promise<void> {
  if (!yes)
    throw new AppError(
      "invalid_request",
      "This deletes events for good: look at `trailseal retention plan`, then say --yes.",
    );
  if (org) await readEnds(systemScope("cli", org));
  const pool = await ownerPool();
  try {
    const isWatched = process.stderr.isTTY;
    const { logs, skipped, dropped } = await runRetention(pool, systemInstanceScope("cli"), {
      organizationId: org,
      onBatch: (id, removed) => {
        if (isWatched) process.stderr.write(`\r\x1b[K${id}: ${count(removed)}`);
      },
    });
    if (isWatched) process.stderr.write("\r\x1b[K");
    const months = dropped.map(
      ({ month, bytes }) =>
        `${month.slice(0, 7)} was dropped whole: ${count(bytes)} bytes are the disk's again.`,
    );
    const words = [
      ...logs.flatMap(outcomeWords),
      ...skipped.map(({ organizationId, error }) => `${organizationId}: not looked at: ${error}`),
    ];
    if (words.length === 0) words.push("No organization has a period.");
    print(json, snakeCase({ logs, skipped, dropped }), [...words, ...months].join("\n"));
    if (skipped.length > 0 || logs.some(({ error }) => error !== null)) process.exitCode = 1;
  } finally {
    await pool.end();
  }
}

export function register(program: Command): void {
  const retention = program
    .command("retention")
    .description(
      "What is past retention: the server's worker deletes it, or this does, from cron.",
    );
  retention
    .command("plan")
    .description("Say what would be deleted now, and what keeps it. Changes nothing.")
    .option("--org <id>", "only this organization; else all that a period holds for")
    .option("--json", "print JSON")
    .action(plan);
  retention
    .command("run")
    .description("Delete what is past retention and its grace.")
    .option("--org <id>", "only this organization; else all that a period holds for")
    .option("--yes", "do it")
    .option("--json", "print JSON")
    .action(run);
}
