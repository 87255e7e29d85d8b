"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";
import type { DrillReport } from "@/lib/integrity/drills/report";
import { SealMark } from "./seal-mark";
import { formatCount, formatDuration, formatMoment } from "./words";

const POLL_MS = 3_000;

function sentence(last: DrillReport | null, isRight: boolean): string {
  if (!last) return "No drill has been run yet";
  if (last.error) return "The last drill did not end";
  const right = last.results.filter(({ ok }) => ok).length;
  return isRight
    ? `All ${last.results.length} verdicts were right`
    : `${last.results.length - right} of ${last.results.length} verdicts were wrong`;
}

function support(last: DrillReport | null, everyHours: number): string {
  if (!last)
    return everyHours > 0
      ? "The first one runs by itself, a while after the server was started."
      : "None runs by itself: TRAILSEAL_DRILL_HOURS is 0.";
  const when = `${formatMoment(last.started_at)}, in ${formatDuration(last.duration_ms)}.`;
  return last.error
    ? `${when} ${last.error}`
    : `A log of ${formatCount(last.events ?? 0)} events was damaged in every known way, ${when}`;
}

/** How the last drill went, and the button for another. */
export function DrillVerdict(props: {
  organizationId: string;
  isUnderWay: boolean;
  last: DrillReport | null;
  /** Whether every verdict of the last one was right. */
  isRight: boolean;
  everyHours: number;
  ask(organizationId: string): Promise<ActionResult<null>>;
}) {
  const { last, isRight, isUnderWay } = props;
  const router = useRouter();
  const [problem, setProblem] = useState<string | null>(null);
  const [isAsking, startTransition] = useTransition();

  useEffect(() => {
    if (!isUnderWay) return;
    const timer = setInterval(() => router.refresh(), POLL_MS);
    return () => clearInterval(timer);
  }, [isUnderWay, router]);

  const ask = () =>
    startTransition(async () => {
      const result = await props.ask(props.organizationId);
      setProblem(result.ok ? null : result.message);
      if (result.ok) router.refresh();
    });

  const tone = isUnderWay
    ? "running"
    : !last
      ? "none"
      : last.error
        ? "unfinished"
        : isRight
          ? "ok"
          : "broken";
  return (
    <div className="flex flex-wrap items-start gap-3">
      <SealMark tone={tone} className="-mt-1 size-9 max-sm:hidden" />
      <div className="min-w-0 flex-1 max-sm:basis-full" aria-live="polite">
        <h1
          className={`text-[22px] leading-7 font-semibold tracking-[-0.02em] text-balance ${tone === "broken" ? "text-(--in-failed)" : ""}`}
          data-testid="drill-verdict"
        >
          {isUnderWay ? "A drill is under way" : sentence(last, isRight)}
        </h1>
        <p className="mt-1 max-w-[98ch] text-(--text-2)">{support(last, props.everyHours)}</p>
        <p className="mt-1 max-w-[98ch] text-(--text-2)">
          It tests the verifier, not your log, in a database of its own that is thrown away:{" "}
          {props.everyHours > 0 && `every ${props.everyHours} hours and `}when somebody asks.
        </p>
        {problem && (
          <p role="alert" className="mt-1 text-(--in-fetch)">
            {problem}
          </p>
        )}
      </div>
      <Button onClick={ask} disabled={isUnderWay || isAsking}>
        Run a drill
      </Button>
    </div>
  );
}
