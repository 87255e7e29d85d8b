import { type Command, InvalidArgumentError } from "commander";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import type { DrillResult } from "@/lib/integrity/drills/report";
import { runDrill } from "@/lib/integrity/drills/run-drill";
import { createOrganization } from "@/lib/orgs/server/organizations";

const LEAST = 2_000;

function size(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < LEAST)
    throw new InvalidArgumentError(`It must be a whole number from ${LEAST} on.`);
  return value;
}

const place = (kind: string | null, seq?: number | null) =>
  kind === null ? "ok" : typeof seq === "number" ? `${kind} at #${seq}` : kind;

function line({ id, ok, does, found, found_seq, found_elsewhere, ...one }: DrillResult): string {
  const verdicts = `${place(found, found_seq).padEnd(33)}${place(found_elsewhere).padEnd(25)}`;
  const wanted = ok
    ? ""
    : `  EXPECTED ${place(one.expected, one.expected_seq)}; ${place(one.expected_elsewhere)}`;
  return `${id.padEnd(5)}${ok ? "ok    " : "WRONG "}${verdicts}${does}${wanted}\n`;
}

export function register(program: Command): void {
  program
    .command("drill")
    .description(
      "Damage a synthetic log in every known way, in a database made for it and thrown away, and show the verdicts.",
    )
    .option("--events <n>", "events in the log", size, LEAST)
    .option("--json", "print JSON")
    .addHelpText("after", "\nExit code 0: every verdict is as expected. 1: one is not.")
    .action(async ({ events, json }: { events: number; json?: boolean }) => {
      const instance = systemInstanceScope("cli");
      const createLog = async (name: string) => (await createOrganization(instance, { name })).id;
      if (!json)
        process.stdout.write(
          `case       ${"key and database alone".padEnd(33)}${"with evidence elsewhere".padEnd(25)}what is done\n`,
        );
      const results = await runDrill(
        process.env.DATABASE_OWNER_URL as string,
        events,
        createLog,
        (result) => void (json || process.stdout.write(line(result))),
      );
      const right = results.filter(({ ok }) => ok).length;
      process.stdout.write(
        json
          ? `${JSON.stringify({ events, results })}\n`
          : `${right} of ${results.length} verdicts as expected, ${events.toLocaleString("en-US")} events.\n`,
      );
      if (right < results.length) process.exitCode = 1;
    });
}
