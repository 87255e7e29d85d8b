import type { Command } from "commander";
import { deliverAlerts, raiseAlert, readAlertStates } from "@/lib/alerts/server/alerts";
import { systemScope } from "@/lib/auth/server/system-scope";
import { writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { print, snakeCase } from "./output";

export function register(program: Command): void {
  program
    .command("alert")
    .description("Alerts by mail and webhook.")
    .command("test")
    .description("Send a test alert on every way that is set up, and say how it went.")
    .requiredOption("--org <id>", "the organization that it names")
    .option("--json", "print JSON")
    .action(async ({ org, json }: { org: string; json?: boolean }) => {
      const scope = systemScope("cli", org);
      await raiseAlert(writePool(), scope, {
        kind: "alert.test",
        title: "A test alert of Trailseal",
        detail: "Nothing is wrong: somebody tried whether alerts arrive.",
        path: `/o/${org}/integrity`,
      });
      await deliverAlerts();
      const states = await readAlertStates(scope);
      if (states.length === 0)
        throw new AppError(
          "invalid_request",
          "No way is set up: TRAILSEAL_SMTP_URL with TRAILSEAL_ALERT_EMAIL, or TRAILSEAL_ALERT_WEBHOOK.",
        );
      const failed = states.filter(({ last }) => !last?.sentAt);
      print(
        json,
        snakeCase(states),
        states
          .map(
            ({ channel, last }) =>
              `${channel}: ${last?.sentAt ? "sent" : (last?.error ?? "waits")}`,
          )
          .join("\n"),
      );
      if (failed.length > 0) process.exitCode = 1;
    });
}
