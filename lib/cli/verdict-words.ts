import type { Verdict, VerificationProgress } from "@/lib/integrity/schema";

const count = (value: number) => value.toLocaleString("en-US");

export function verdictWords(verdict: Verdict): string {
  const seconds = (verdict.duration_ms / 1_000).toFixed(1);
  const checked = `${count(verdict.checked)} events checked in ${seconds} s`;
  if (verdict.ok)
    return [
      `Verified to #${verdict.next_seq - 1}: ${checked}, ${count(verdict.evidence.checkpoints)} checkpoints met.`,
      ...verdict.not_covered.map((sentence) => `  ${sentence}`),
    ].join("\n");
  const place = verdict.first_bad_seq === null ? "Broken" : `Broken at #${verdict.first_bad_seq}`;
  const findings = verdict.findings.map(
    ({ seq, kind, detail }) => `  ${seq === null ? "log" : `#${seq}`}  ${kind}: ${detail}`,
  );
  const more = verdict.findings_truncated ? ["  … and more"] : [];
  return [`${place}: ${verdict.kind}. ${checked}.`, ...findings, ...more].join("\n");
}

export function showProgress(progress: VerificationProgress): void {
  const { checked, total, rate_per_s: rate, eta_s: eta } = progress;
  const left = eta === null ? "" : `, about ${eta} s left`;
  process.stderr.write(
    `\r\x1b[K${count(checked)} of ${count(total)} events, ${count(rate)}/s${left}`,
  );
}
