import type { Command } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import type { Verdict, VerificationProgress } from "@/lib/integrity/schema";
import { recordVerification } from "@/lib/integrity/server/verification-jobs";
import { verifyLog } from "@/lib/integrity/server/verify";
import { print } from "./output";

const count = (value: number) => value.toLocaleString("en-US");

function words(verdict: Verdict): string {
  const seconds = (verdict.duration_ms / 1_000).toFixed(1);
  const checked = `${count(verdict.checked)} events checked in ${seconds} s`;
  if (verdict.ok && verdict.last_seq !== null)
    return `Verified to #${verdict.last_seq}: ${checked}.`;
  const place = verdict.first_bad_seq === null ? "Broken" : `Broken at #${verdict.first_bad_seq}`;
  const findings = verdict.findings.map(
    ({ seq, kind, detail }) => `  ${seq === null ? "log" : `#${seq}`}  ${kind}: ${detail}`,
  );
  const more = verdict.findings_truncated ? ["  … and more"] : [];
  return [`${place}: ${verdict.kind}. ${checked}.`, ...findings, ...more].join("\n");
}

function showProgress(progress: VerificationProgress): void {
  const { checked, total, rate_per_s: rate, eta_s: eta } = progress;
  const left = eta === null ? "" : `, about ${eta} s left`;
  process.stderr.write(
    `\r\x1b[K${count(checked)} of ${count(total)} events, ${count(rate)}/s${left}`,
  );
}

export function register(program: Command): void {
  program
    .command("verify")
    .description(
      "Recompute an organization's log and say whether the database holds what was sealed.",
    )
    .requiredOption("--org <id>", "the organization")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExit code 0: verified. 1: broken, or nothing was checked.")
    .action(async (options: { org: string; json?: boolean }) => {
      const isWatched = process.stderr.isTTY;
      const scope = systemScope("cli", options.org);
      const verdict = await verifyLog(scope, isWatched ? { onProgress: showProgress } : {});
      if (isWatched) process.stderr.write("\r\x1b[K");
      print(options.json, verdict, words(verdict));
      if (!verdict.ok) process.exitCode = 1;
      await recordVerification(scope, verdict);
    });
}
