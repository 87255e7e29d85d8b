import { TriangleAlert } from "lucide-react";
import { formatMoment, formatSpan } from "@/components/streams/words";
import { CLOCK_TOLERANCE_MS, type Clocks } from "@/lib/events/clocks";

const seconds = (ms: number) => formatSpan(Math.abs(ms) / 1_000);

/** Cause, consequence, next step; nothing while the clocks agree. */
function warningsOf(clocks: Clocks): string[] {
  const { lastRecordedAt, recordedAheadMs, databaseAheadMs } = clocks;
  const warnings: string[] = [];
  if (lastRecordedAt !== null && recordedAheadMs > CLOCK_TOLERANCE_MS)
    warnings.push(
      `The server's clock was set back: the newest event's received time lies ${seconds(recordedAheadMs)} ahead of it. Events are stored and sealed as always, but until the clock has caught up they all get the same received time, ${formatMoment(lastRecordedAt)}. Check the server's time synchronisation (NTP).`,
    );
  if (Math.abs(databaseAheadMs) > CLOCK_TOLERANCE_MS)
    warnings.push(
      `The database's clock is ${seconds(databaseAheadMs)} ${databaseAheadMs > 0 ? "ahead of" : "behind"} the server's. Lags, retries and expiries may be off by as much. Check the time synchronisation (NTP) of both.`,
    );
  return warnings;
}

export function ClockWarning(props: { clocks: Clocks }) {
  const warnings = warningsOf(props.clocks);
  if (warnings.length === 0) return null;
  return (
    <div
      role="status"
      data-testid="clock-warning"
      className="flex shrink-0 gap-2 border-b border-(--in-fetch-line) bg-(--in-fetch-tint) px-4 py-2 text-(--in-fetch)"
    >
      <TriangleAlert size={16} aria-hidden="true" className="mt-0.5 shrink-0" />
      <div className="grid max-w-[110ch] gap-1">
        {warnings.map((warning) => (
          <p key={warning}>{warning}</p>
        ))}
      </div>
    </div>
  );
}
