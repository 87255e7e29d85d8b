import type { Verdict } from "@/lib/integrity/schema";
import { formatCount } from "./words";

/** What the verdict rests on, and what it says nothing about. */
export function NotCovered({ verdict }: { verdict: Verdict }) {
  const { evidence, not_covered: sentences } = verdict;
  if (!verdict.ok) return null;
  return (
    <details className="mt-3 max-w-[98ch] text-(--text-2)">
      <summary className="cursor-pointer select-none max-sm:py-2">
        {formatCount(evidence.checkpoints)} signed{" "}
        {evidence.checkpoints === 1 ? "checkpoint" : "checkpoints"} met.{" "}
        <span className="underline decoration-(--border-control) underline-offset-3">
          What this check did not cover
        </span>
      </summary>
      <ul className="mt-1 list-disc pl-5">
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}
