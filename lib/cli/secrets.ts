import type { Command } from "commander";
import { rotateEnvelope } from "@/lib/streams/server/rotate-envelope";
import { print, snakeCase } from "./output";

export function register(program: Command): void {
  program
    .command("secrets")
    .description("The keys that protect what is stored, on this host.")
    .command("rotate-envelope")
    .description(
      "Wrap the secrets of streams, second factors and identity providers under a fresh envelope key. Streams deliver all the while; after a stop, run it again.",
    )
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const rotation = await rotateEnvelope();
      const { rewrapped, unreadable, kekId } = rotation;
      const { rewrappedSecondFactors, unreadableSecondFactors } = rotation;
      const { rewrappedClientSecrets, unreadableClientSecrets } = rotation;
      const lost = [
        ...(unreadable.length > 0
          ? [`No key opens the secrets of ${unreadable.join(", ")}: enter them again.`]
          : []),
        ...(unreadableSecondFactors.length > 0
          ? [
              `No key opens the second factors of ${unreadableSecondFactors.join(", ")}: see trailseal users reset-second-factor.`,
            ]
          : []),
        ...(unreadableClientSecrets.length > 0
          ? [
              `No key opens the client secrets of ${unreadableClientSecrets.join(", ")}: enter them again.`,
            ]
          : []),
      ];
      const words = [
        `The secrets of ${rewrapped} streams, ${rewrappedSecondFactors} second factors and ${rewrappedClientSecrets} identity providers are under key ${kekId}.`,
        ...lost,
      ];
      print(json, snakeCase(rotation), words.join("\n"));
      if (lost.length > 0) process.exitCode = 1;
    });
}
