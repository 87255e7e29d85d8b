import type { SlowQuery } from "@/lib/operations/schema";

const count = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Statements that take long, without their values. */
export function Queries(props: { running: SlowQuery[]; slowest: SlowQuery[] | null }) {
  return (
    <section aria-label="Statements" className="min-w-0">
      <h2 className="mb-2 text-[14px] font-semibold tracking-[-0.012em]">Statements</h2>
      <QueryList title="Running for more than a second" queries={props.running} />
      {props.slowest ? (
        <QueryList title="Most time since the statistics began" queries={props.slowest} />
      ) : (
        <p className="mt-2 text-(--text-2)">
          With the extension pg_stat_statements, those that took the most time are listed here.
        </p>
      )}
    </section>
  );
}

function QueryList({ title, queries }: { title: string; queries: SlowQuery[] }) {
  if (queries.length === 0) return <p className="text-(--text-2)">{title}: none.</p>;
  return (
    <>
      <h3 className="mt-3 text-[12px] text-(--text-3)">{title}</h3>
      <ul className="border-t border-(--border)">
        {queries.map(({ text, ms, calls }) => (
          <li key={text} className="border-b border-(--border) py-1.5">
            <p className="text-[12px] text-(--text-2) tabular-nums">
              {count.format(ms)} ms
              {calls !== null && ` on average, ${count.format(calls)} times`}
            </p>
            <code className="line-clamp-3 font-mono text-[12px] break-words">{text}</code>
          </li>
        ))}
      </ul>
    </>
  );
}
