import type { Verification } from "@/lib/integrity/schema";
import { damageName, formatCount, formatDuration, formatMoment, formatSeq, toneOf } from "./words";

function Result(props: { run: Verification }) {
  const { run } = props;
  const tone = toneOf(run);
  if (tone === "ok") return <span className="text-(--in-verified)">✓ Verified</span>;
  if (tone === "broken") {
    const kind = run.verdict?.kind;
    const seq = run.verdict?.first_bad_seq;
    return (
      <span className="font-medium text-(--in-failed)">
        ✕ {kind ? damageName(kind) : "broken"}
        {seq !== null && seq !== undefined ? ` at ${formatSeq(seq)}` : ""}
      </span>
    );
  }
  if (tone === "running") return <span className="text-(--text-2)">Running</span>;
  if (tone === "none") return <span className="text-(--text-2)">— Nothing checked</span>;
  return (
    <span className="text-(--in-fetch)" title={run.error ?? undefined}>
      {run.state === "cancelled" ? "– Cancelled" : "! Not finished"}
    </span>
  );
}

/** Past verifications, newest first. */
export function RunsTable(props: { runs: Verification[] }) {
  if (props.runs.length === 0) return null;
  return (
    <section className="mt-6">
      <h2 className="text-[14px] font-semibold tracking-[-0.012em]">Runs</h2>
      <div
        className="mt-1 overflow-x-auto"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
        tabIndex={0}
      >
        <table className="w-full border-collapse text-left">
          <thead>
            <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
              <th className="h-8 pr-4 font-normal">Started</th>
              <th className="h-8 pr-4 font-normal max-sm:hidden">By</th>
              <th className="h-8 pr-4 font-normal">Events</th>
              <th className="h-8 pr-4 text-right font-normal max-sm:hidden">Took</th>
              <th className="h-8 font-normal">Result</th>
            </tr>
          </thead>
          <tbody>
            {props.runs.map((run) => (
              <tr key={run.id} className="h-8 border-b border-(--border)">
                <td className="pr-4 font-mono text-[12px] whitespace-nowrap">
                  {formatMoment(run.startedAt ?? run.createdAt)}
                </td>
                <td className="pr-4 max-sm:hidden">{run.createdBy ?? "Command line"}</td>
                <td className="pr-4 font-mono text-[12px]">
                  {formatCount(run.verdict?.checked ?? run.progress.checked)}
                </td>
                <td className="pr-4 text-right whitespace-nowrap max-sm:hidden">
                  {run.verdict ? formatDuration(run.verdict.duration_ms) : ""}
                </td>
                <td className="whitespace-nowrap">
                  <Result run={run} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
