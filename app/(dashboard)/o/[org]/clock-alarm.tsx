import { TriangleAlert } from "lucide-react";
import { Suspense } from "react";
import { formatMoment, formatSpan } from "@/components/streams/words";
import type { Scope } from "@/lib/auth/scope";
import { CLOCK_TOLERANCE_MS } from "@/lib/clock";
import { type Clocks, readClocks } from "@/lib/events/server/clocks";
import { log } from "@/lib/log";

/** Warns above a page while received times stand still or the clocks disagree; the page waits for nothing. */
export function ClockAlarm(props: { scope: Scope }) {
  return (
    <Suspense>
      <Alarm {...props} />
    </Suspense>
  );
}

const span = (ms: number) => formatSpan(Math.abs(ms) / 1_000);

/** Cause, consequence, next step; nothing while the clocks agree. */
export function clockWarnings({ lastRecordedAt, recordedAheadMs, databaseAheadMs }: Clocks) {
  const warnings: string[] = [];
  if (lastRecordedAt !== null && recordedAheadMs > CLOCK_TOLERANCE_MS)
    warnings.push(
      `The server's clock was set back: the newest event's received time lies ${span(recordedAheadMs)} ahead of it. Events are stored and sealed as always, but until the clock has caught up they all get the same received time, ${formatMoment(lastRecordedAt)}. Check the server's time synchronisation (NTP).`,
    );
  if (Math.abs(databaseAheadMs) > CLOCK_TOLERANCE_MS)
    warnings.push(
      `The database's clock is ${span(databaseAheadMs)} ${databaseAheadMs > 0 ? "ahead of" : "behind"} the server's. Lags, retries and expiries may be off by as much. Check the time synchronisation (NTP) of both.`,
    );
  return warnings;
}

async function Alarm({ scope }: { scope: Scope }) {
  const warnings = await readClocks(scope).then(clockWarnings, (error: unknown) => {
    log().error({ err: error }, "the clocks could not be read");
    return ["Whether the clocks agree could not be read. Reload the page to try again."];
  });
  if (warnings.length === 0) return null;
  return (
    <div
      role="status"
      data-testid="clock-warning"
      className="flex shrink-0 gap-2 border-b border-(--in-fetch-line) bg-(--in-fetch-tint) px-4 py-2 text-(--in-fetch)"
    >
      <TriangleAlert size={16} aria-hidden="true" className="mt-0.5 shrink-0" />
      <p className="max-w-[110ch]">{warnings.join(" ")}</p>
    </div>
  );
}
