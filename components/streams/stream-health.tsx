import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import type { HalfHour, StreamSummary } from "@/lib/streams/schema";
import { activityWords, Sparkline, SparklineLegend } from "./sparkline";
import type { StreamPart } from "./stream-detail";
import {
  countEvents,
  errorStanding,
  formatCount,
  formatMoment,
  formatSpan,
  isErrorCurrent,
  minutesWords,
} from "./words";

const MoveCursor = dynamic(() => import("./move-cursor").then((part) => part.MoveCursor), {
  loading: () => null,
});

/** The last error with what to do about it, the last 24 hours, and where the stream stands. */
export function StreamHealth({ halfHours, ...part }: StreamPart & { halfHours: HalfHour[] }) {
  const { stream } = part;
  const [isMoving, setMoving] = useState(false);
  return (
    <div className="grid gap-5">
      <LastError stream={stream} />
      <section aria-labelledby="activity">
        <h2 id="activity" className="text-[14px] font-semibold tracking-[-0.012em]">
          24 hours
        </h2>
        <p className="text-(--text-2)">{activityWords(halfHours)}</p>
        <Sparkline halfHours={halfHours} className="mt-2 h-16 w-full" />
        <SparklineLegend />
      </section>
      <section aria-label="Where it stands">
        <dl className="grid grid-cols-4 gap-x-6 border-t border-(--border) max-lg:grid-cols-2">
          <Fact term="Lag, events">{formatCount(stream.lagEvents)}</Fact>
          <Fact term="Oldest waiting">
            {stream.lagEvents === 0 ? "None waits" : formatSpan(stream.lagS)}
          </Fact>
          <Fact term="Last success">
            {stream.lastSuccessAt ? formatMoment(stream.lastSuccessAt) : "None yet"}
          </Fact>
          <Fact term="Last attempt">
            {stream.lastAttemptAt ? formatMoment(stream.lastAttemptAt) : "None yet"}
          </Fact>
          <Fact term="Delivered">{formatCount(stream.delivered)}</Fact>
          <Fact term="Passed over by the filter">{formatCount(stream.passedOver)}</Fact>
          <Fact term="Set aside">{formatCount(stream.deadLetters)}</Fact>
          <Fact term="Next event">
            #{formatCount(stream.cursorSeq)}{" "}
            <button
              type="button"
              onClick={() => setMoving(true)}
              className="ml-1.5 text-(--text-2) underline decoration-(--border-control) underline-offset-[3px] hover:text-(--text) max-sm:py-2"
            >
              Move
            </button>
          </Fact>
          <Fact term="Checkpoint sent">
            {stream.checkpointSentAt
              ? `${formatMoment(stream.checkpointSentAt)}, covers ${countEvents(stream.checkpointSize)}`
              : "None yet"}
          </Fact>
          <Fact term="Checkpoint repeated when quiet">
            {stream.heartbeatMinutes === 0
              ? "Never"
              : `Every ${minutesWords(stream.heartbeatMinutes)}`}
          </Fact>
          <Fact term="Alert when an event waits">
            {stream.lagAlertMinutes === 0
              ? "Never"
              : `Longer than ${minutesWords(stream.lagAlertMinutes)}`}
          </Fact>
          <Fact term="Added">{formatMoment(stream.createdAt)}</Fact>
        </dl>
      </section>
      {isMoving && <MoveCursor {...part} onClose={() => setMoving(false)} />}
    </div>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="border-b border-(--border) py-2">
      <dt className="text-[12px] text-(--text-3)">{term}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  );
}

function LastError({ stream }: { stream: StreamSummary }) {
  const { lastError } = stream;
  if (!lastError) return null;
  const isCurrent = isErrorCurrent(stream);
  const standing = errorStanding(stream);
  const retry =
    isCurrent && (stream.state === "degraded" || stream.state === "error")
      ? `Failed ${stream.failures === 1 ? "once" : `${formatCount(stream.failures)} times in a row`}. Next attempt ${formatMoment(stream.nextAttemptAt)}.`
      : null;
  return (
    <section
      aria-labelledby="last-error"
      className={`border-l-2 pl-3.5 ${isCurrent ? "border-(--ch-3)" : "border-(--border-strong)"}`}
    >
      <h2 id="last-error" className="text-[14px] font-semibold tracking-[-0.012em]">
        Last error{standing && `, ${standing}`}{" "}
        <span className="text-[12px] font-normal text-(--text-3) tabular-nums">
          {formatMoment(lastError.at)}
        </span>
      </h2>
      <p className="max-w-[92ch] text-(--text-2)">
        {lastError.message} {standing !== "recovered" && lastError.advice}
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
