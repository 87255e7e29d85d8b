import type { DrillResult } from "@/lib/integrity/drills/report";
import type { DamageKind } from "@/lib/integrity/schema";
import { damageName, formatSeq } from "./words";

const verdict = (kind: DamageKind | null, seq: number | null = null) =>
  kind === null
    ? "verified"
    : seq === null
      ? damageName(kind)
      : `${damageName(kind)} at ${formatSeq(seq)}`;

/** Every damage, with the verdicts that it got; those that are wrong first. */
export function DrillTable(props: { results: DrillResult[] }) {
  const results = [...props.results].sort((left, right) => Number(left.ok) - Number(right.ok));
  return (
    <div
      className="relative mt-6 overflow-x-auto"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
      tabIndex={0}
    >
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
            <th className="h-8 pr-4 font-normal">Case</th>
            <th className="h-8 pr-4 font-normal">What is done</th>
            <th className="h-8 pr-4 font-normal">Key and database alone</th>
            <th className="h-8 pr-4 font-normal">With evidence kept elsewhere</th>
            <th className="h-8 font-normal">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {results.map((one) => (
            <tr key={one.id} className="h-8 border-b border-(--border) align-baseline">
              <td className="py-1.5 pr-4 font-mono text-[12px]">{one.id}</td>
              <td className="py-1.5 pr-4 max-sm:min-w-60">{one.does}</td>
              <td className="py-1.5 pr-4 text-(--text-2)">{verdict(one.found, one.found_seq)}</td>
              <td className="py-1.5 pr-4 text-(--text-2)">{verdict(one.found_elsewhere)}</td>
              <td className="py-1.5 whitespace-nowrap">
                {one.ok ? (
                  <span className="text-(--in-verified)">✓ Right</span>
                ) : (
                  <span className="font-medium text-(--in-failed)">
                    ✕ Expected {verdict(one.expected, one.expected_seq)};{" "}
                    {verdict(one.expected_elsewhere)}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
