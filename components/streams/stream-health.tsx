import type { ReactNode } from "react";
import type { StreamSummary } from "@/lib/streams/schema";
import { formatCount, formatMoment, formatSpan, isErrorCurrent } from "./words";

/** Numbers first, then the last error with what to do about it. */
export function StreamHealth({ stream }: { stream: StreamSummary }) {
  return (
    <>
      <dl className="mt-5 grid grid-cols-5 gap-x-6 gap-y-3 border-y border-(--border) py-3 max-lg:grid-cols-3 max-sm:grid-cols-2">
        <Fact term="Lag, events">{formatCount(stream.lagEvents)}</Fact>
        <Fact term="Oldest waiting">
          {stream.lagEvents === 0 ? "None waits" : formatSpan(stream.lagS)}
        </Fact>
        <Fact term="Delivered">{formatCount(stream.delivered)}</Fact>
        <Fact term="Last success">
          {stream.lastSuccessAt ? formatMoment(stream.lastSuccessAt) : "None yet"}
        </Fact>
        <Fact term="Next event">#{formatCount(stream.cursorSeq)}</Fact>
      </dl>
      <LastError stream={stream} />
    </>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-[12px] text-(--text-3)">{term}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  );
}

function LastError({ stream }: { stream: StreamSummary }) {
  const { lastError } = stream;
  if (!lastError) return <p className="mt-4 text-(--text-3)">No error so far.</p>;
  const isCurrent = isErrorCurrent(stream);
  const retry =
    isCurrent && (stream.state === "degraded" || stream.state === "error")
      ? `Failed ${stream.failures === 1 ? "once" : `${formatCount(stream.failures)} times in a row`}. Next attempt ${formatMoment(stream.nextAttemptAt)}.`
      : null;
  return (
    <section
      aria-labelledby="last-error"
      className={`mt-5 border-l-2 pl-3.5 ${isCurrent ? "border-(--ch-3)" : "border-(--border-strong)"}`}
    >
      <h2 id="last-error" className="text-[14px] font-semibold tracking-[-0.012em]">
        {isCurrent ? "Last error" : "Last error, recovered"}{" "}
        <span className="text-[12px] font-normal text-(--text-3) tabular-nums">
          {formatMoment(lastError.at)}
        </span>
      </h2>
      <p className="max-w-[92ch] text-(--text-2)">
        {lastError.message} {isCurrent && lastError.advice}
      </p>
      {retry && <p className="text-[12px] text-(--text-3) tabular-nums">{retry}</p>}
      {isCurrent && lastError.reply && (
        <pre className="mt-2 max-w-[92ch] rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] break-words whitespace-pre-wrap">
          {lastError.reply}
        </pre>
      )}
    </section>
  );
}
