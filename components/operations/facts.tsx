import type { ReactNode } from "react";

/** A part of the page: its name, and terms with what holds for them. */
export function Facts(props: { title: string; note?: string; facts: Record<string, ReactNode> }) {
  return (
    <section aria-label={props.title} className="min-w-0">
      <h2 className="mb-2 text-[14px] font-semibold tracking-[-0.012em]">
        {props.title}{" "}
        {props.note && (
          <span className="text-[12px] font-normal text-(--text-2)">{props.note}</span>
        )}
      </h2>
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
    </section>
  );
}
