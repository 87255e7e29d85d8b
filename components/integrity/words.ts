import { damageWords } from "@/lib/integrity/damage-words";
import type { DamageKind, Refusal, Verdict, Verification } from "@/lib/integrity/schema";

/** "edited content" from `edited_content`. */
export function damageName(kind: DamageKind): string {
  return kind.replaceAll("_", " ");
}

const count = new Intl.NumberFormat("en-US");

export function formatCount(value: number): string {
  return count.format(value);
}

export function formatSeq(seq: number): string {
  return `#${count.format(seq)}`;
}

const clock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: "UTC",
});

/** "23 Nov 2026, 14:02:31 UTC". */
export function formatMoment(iso: string): string {
  return `${clock.format(new Date(iso))} UTC`;
}

export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1_000;
  return seconds < 60
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export type Tone = "none" | "running" | "ok" | "broken" | "unfinished";

export function toneOf(run: Verification | null): Tone {
  if (!run) return "none";
  if (run.state === "queued" || run.state === "running") return "running";
  if (run.state !== "succeeded" || !run.verdict) return "unfinished";
  if (run.verdict.kind === "nothing_checked") return "none";
  return run.verdict.ok ? "ok" : "broken";
}

/** The one sentence the page leads with. */
export function verdictSentence(verdict: Verdict): string {
  if (verdict.kind === "nothing_checked") return "Nothing to check yet";
  if (verdict.ok && verdict.last_seq !== null) {
    return `Verified to ${formatSeq(verdict.last_seq)}`;
  }
  const words = verdict.kind ? damageWords(verdict.kind) : "the log does not add up";
  return verdict.first_bad_seq === null
    ? `Broken: ${words}`
    : `Broken at ${formatSeq(verdict.first_bad_seq)}: ${words}`;
}

/** What is missing where the signer refuses. */
export function refusalSentence({ why, signedSize, nextSeq }: Refusal): string {
  const signed = `${formatCount(signedSize)} events were signed`;
  if (why === "rollback")
    return `${signed}, the database has ${formatCount(nextSeq)}: ${formatSeq(nextSeq)} to ${formatSeq(signedSize - 1)} are missing.`;
  if (why === "fork")
    return `${signed}, and the last of them, ${formatSeq(signedSize - 1)}, is not the one in the database.`;
  return `${signed} under another origin than the database says.`;
}
