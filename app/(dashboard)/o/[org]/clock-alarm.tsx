import { Suspense } from "react";
import { ClockWarning } from "@/components/events/clock-warning";
import type { Scope } from "@/lib/auth/scope";
import { readClocks } from "@/lib/events/server/clocks";
import { currentRequest } from "@/lib/http/request-context";

/** Warns above a page while received times stand still or the clocks disagree; the page waits for nothing. */
export function ClockAlarm(props: { scope: Scope }) {
  return (
    <Suspense>
      <Alarm {...props} />
    </Suspense>
  );
}

async function Alarm({ scope }: { scope: Scope }) {
  const clocks = await readClocks(scope).catch((error: unknown) => {
    console.error(`[trailseal] ${currentRequest()?.requestId ?? ""}`, error);
    return null;
  });
  if (clocks) return <ClockWarning clocks={clocks} />;
  return (
    <p className="shrink-0 border-b border-(--border) px-4 py-1 text-[12px] text-(--text-3)">
      Whether the clocks agree could not be read.
    </p>
  );
}
