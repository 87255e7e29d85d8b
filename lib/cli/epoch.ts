import type { Command } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import {
  beginDirectory,
  beginEpoch,
  type EpochPlan,
  planEpoch,
} from "@/lib/integrity/server/begin-epoch";
import { vkeyOf } from "@/lib/integrity/server/signer";
import { print, snakeCase } from "./output";

interface Options {
  org: string;
  reason: string;
  compromised?: boolean;
  yes?: boolean;
  json?: boolean;
}

const count = (value: number) => value.toLocaleString("en-US");

function words(plan: EpochPlan): string[] {
  return [
    `Epoch ${plan.epoch} begins at #${plan.startSeq} as ${plan.origin}.`,
    `The signer had signed ${count(plan.signedSize)} events as ${plan.previousOrigin}; the newest checkpoint that what is here meets is of ${count(plan.lastGoodSize)}.`,
    ...(plan.lost > 0
      ? [
          `${count(plan.lost)} signed events are gone: #${plan.startSeq} to #${plan.signedSize - 1}.`,
        ]
      : []),
    ...(plan.doubtful > 0
      ? [
          `In place of #${plan.lastGoodSize} to #${plan.lastGoodSize + plan.doubtful - 1} others may stand than were signed.`,
        ]
      : []),
    ...plan.ahead.map(
      (name) => `The stream “${name}” had delivered more: it goes on from #${plan.startSeq}.`,
    ),
  ];
}

export function register(program: Command): void {
  const command = program
    .command("epoch")
    .description("Epochs of a log: how it goes on after a restore that lost events.");
  command
    .command("directory")
    .description(
      "Let the directory of all logs begin anew where it lost what was signed, and no log did; else a log's epoch does this, too.",
    )
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const origin = await beginDirectory();
      const words = origin
        ? `The directory begins anew as ${origin}.`
        : "The directory has all that was signed.";
      print(json, { origin }, words);
    });
  command
    .command("begin")
    .description(
      "Let a log go on that ends before what was signed, under a new origin and with a record of what is lost. Without --yes it only says what would happen.",
    )
    .requiredOption("--org <id>", "the organization")
    .requiredOption("--reason <text>", "kept in the log")
    .option("--compromised", "also where nothing is lost: the signing key was stolen")
    .option("--yes", "do it")
    .option("--json", "print JSON")
    .action(async ({ org, reason, compromised = false, yes, json }: Options) => {
      const scope = systemScope("cli", org);
      const options = { isCompromised: compromised };
      if (!yes) {
        const plan = await planEpoch(scope, options);
        const hint = "Nothing was changed. With --yes the epoch begins; there is no way back.";
        return print(json, snakeCase(plan), [...words(plan), hint].join("\n"));
      }
      const plan = await beginEpoch(scope, reason, options);
      const vkey = await vkeyOf(scope);
      print(
        json,
        snakeCase({ ...plan, vkey }),
        [...words(plan), "Give verifiers the key under its new name:", vkey].join("\n"),
      );
    });
}
