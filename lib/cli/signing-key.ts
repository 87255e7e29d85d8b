import { type Command, InvalidArgumentError } from "commander";
import { encodeBase64 } from "@/lib/chain/base64";
import { rotateSigningKey } from "@/lib/integrity/server/key-rotation";
import { signingKeyRecords } from "@/lib/integrity/server/signing-keys";
import { print, printTable, snakeCase } from "./output";

const DAY_MS = 86_400_000;

function days(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 3_650)) throw new InvalidArgumentError("It must be 0 to 3650 days.");
  return value;
}

export function register(program: Command): void {
  const command = program
    .command("signing-key")
    .description("The key that checkpoints are signed with, on this host.");
  command
    .command("list")
    .option("--json", "print JSON")
    .action(({ json }: { json?: boolean }) => {
      const rows = signingKeyRecords().map(({ public_key, source, since, until }) => ({
        public_key: encodeBase64(Buffer.from(public_key, "hex")),
        kept_in: "seed" in source ? `secrets/${source.seed}` : "command",
        since,
        until: until ?? "in use",
      }));
      if (json) print(true, rows, "");
      else printTable(rows);
    });
  command
    .command("rotate")
    .description(
      "Announce a new key in every log and sign with it; the one before signs too for a while. With TRAILSEAL_SIGN_COMMAND it is that command's.",
    )
    .option("--overlap <days>", "how long both sign; 0 after a theft", days, 30)
    .option("--json", "print JSON")
    .action(async ({ overlap, json }: { overlap: number; json?: boolean }) => {
      const rotation = await rotateSigningKey(new Date(Date.now() + overlap * DAY_MS));
      print(
        json,
        snakeCase(rotation),
        [
          `Announced in ${rotation.logs} logs, and in use; the key before signs too until ${rotation.until}.`,
          "Give verifiers the new keys: trailseal vkey --org <id> prints each log's.",
        ].join("\n"),
      );
    });
}
