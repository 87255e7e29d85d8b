import type { ReactNode } from "react";

/** Terms with what holds for them. */
export function FactList(props: { facts: Record<string, ReactNode> }) {
  return (
    <dl className="border-t border-(--border)">
      {Object.entries(props.facts).map(([term, fact]) => (
        <div
          key={term}
          className="grid min-h-8 grid-cols-[9rem_minmax(0,1fr)] items-center gap-3 border-b border-(--border) py-1"
        >
          <dt className="text-(--text-2)">{term}</dt>
          <dd className="min-w-0 break-words tabular-nums">{fact}</dd>
        </div>
      ))}
    </dl>
  );
}
