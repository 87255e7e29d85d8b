import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { finished } from "node:stream/promises";
import type { Command } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { proofPage } from "@/lib/integrity/proof-page/page";
import { writeBundle } from "@/lib/integrity/server/bundle";
import { readEventProof, vkeyOfProof } from "@/lib/integrity/server/event-proof";
import { cutCheckpoint, vkeysOf } from "@/lib/integrity/server/signer";
import { print } from "./output";

export function register(program: Command): void {
  program
    .command("bundle")
    .description("Write an organization's whole log to a file that anyone can check offline.")
    .requiredOption("--org <id>", "the organization")
    .requiredOption("--out <file>", "where to write it")
    .option("--json", "print JSON")
    .action(async ({ org, out, json }: { org: string; out: string; json?: boolean }) => {
      await cutCheckpoint(org);
      // A file under its own name is whole.
      const part = `${out}.part`;
      const file = createWriteStream(part, { mode: 0o600 });
      const ended = finished(file);
      const write = async (line: string) => {
        if (!file.write(`${line}\n`)) await Promise.race([once(file, "drain"), ended]);
      };
      const written = await writeBundle(systemScope("cli", org), write);
      file.end();
      await ended;
      await rename(part, out);
      const { events, checkpoints } = written;
      print(
        json,
        { ...written, file: out },
        `${out}: ${events} events, ${checkpoints} checkpoints`,
      );
    });
  program
    .command("prove")
    .description("Print the proof of one event, which anyone can check offline.")
    .requiredOption("--org <id>", "the organization")
    .requiredOption("--event <id>", "the event")
    .option("--html", "as one HTML file that checks itself offline")
    .action(async ({ org, event, html }: { org: string; event: string; html?: boolean }) => {
      const scope = systemScope("cli", org);
      const proof = await readEventProof(scope, event);
      print(!html, proof, html ? proofPage(proof, await vkeyOfProof(scope, proof)) : "");
    });
  program
    .command("vkey")
    .description("Print the key that verifiers of an organization's log pin.")
    .requiredOption("--org <id>", "the organization")
    .option("--all", "also those that older checkpoints are signed with")
    .action(async ({ org, all }: { org: string; all?: boolean }) => {
      const vkeys = await vkeysOf(systemScope("cli", org));
      process.stdout.write(`${(all ? vkeys : vkeys.slice(0, 1)).join("\n")}\n`);
    });
}
