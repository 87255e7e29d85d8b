import { formatMoment } from "@/components/integrity/words";
import type { ProcessState } from "@/lib/operations/schema";

/** Who serves and who works, on which host. */
export function Processes({ processes }: { processes: ProcessState[] }) {
  return (
    <section aria-label="Processes" className="min-w-0">
      <h2 className="mb-2 text-[14px] font-semibold tracking-[-0.012em]">Processes</h2>
      {processes.length === 0 && <p className="text-(--text-2)">None has told of itself yet.</p>}
      <ul className="border-t border-(--border)">
        {processes.map((one) => (
          <li key={`${one.host} ${one.pid}`} className="border-b border-(--border) py-1.5">
            <p className="break-words">
              <span className="font-medium">{one.kind === "server" ? "Server" : "Worker"}</span> on{" "}
              {one.host}, process {one.pid}
              {one.isSilent && <span className="text-(--in-failed)">, silent</span>}
            </p>
            <p className="text-[12px] text-(--text-2) tabular-nums">
              Version {one.version}, since {formatMoment(one.startedAt)}, last heard of{" "}
              {formatMoment(one.seenAt)}; its clock is {clockWords(one.databaseAheadMs)}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function clockWords(databaseAheadMs: number): string {
  if (databaseAheadMs === 0) return "the database's";
  const side = databaseAheadMs > 0 ? "behind" : "ahead of";
  return `${Math.abs(databaseAheadMs).toLocaleString("en-US")} ms ${side} the database's`;
}
