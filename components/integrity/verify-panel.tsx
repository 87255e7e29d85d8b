"use client";

import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";
import type { Verification } from "@/lib/integrity/schema";
import { SealMark } from "./seal-mark";
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatSeq,
  toneOf,
  verdictSentence,
} from "./words";

const POLL_MS = 600;

export interface VerifyActions {
  start(organizationId: string): Promise<ActionResult<Verification>>;
  cancel(organizationId: string, id: string): Promise<ActionResult<null>>;
  read(organizationId: string, id: string): Promise<ActionResult<Verification>>;
}

function sentence(run: Verification | null): string {
  const tone = toneOf(run);
  if (tone === "running") return "Verifying";
  if (tone === "unfinished")
    return run?.state === "cancelled"
      ? "The last verification was cancelled"
      : "The last verification did not finish";
  return run?.verdict ? verdictSentence(run.verdict) : "Not yet checked";
}

function support(run: Verification | null, nextSeq: number): string {
  const tone = toneOf(run);
  if (tone === "none") {
    return nextSeq === 0
      ? "There is no event yet. A check that looked at nothing proves nothing."
      : `${formatCount(nextSeq)} events wait for their first check.`;
  }
  if (tone === "unfinished") return run?.error ?? "It says nothing about the log.";
  const verdict = run?.verdict;
  if (!verdict)
    return "Every event, hash, link, timeline row and count is recomputed from what the database holds.";
  const when = `Checked on this server, ${formatMoment(verdict.finished_at)}.`;
  const newer = Math.max(0, nextSeq - verdict.next_seq);
  const since = newer > 0 ? ` ${formatCount(newer)} newer events were recorded since.` : "";
  return `${formatCount(verdict.checked)} events recomputed in ${formatDuration(verdict.duration_ms)}. ${when}${since}`;
}

/** The verdict, the button that renews it, and the progress of a run. Survives navigation: the run is a job. */
export function VerifyPanel(props: {
  organizationId: string;
  latest: Verification | null;
  nextSeq: number;
  /** How far the continuous check came. */
  watch: { checkedTo: number; checkedAt: string; finding: unknown } | null;
  canVerify: boolean;
  actions: VerifyActions;
}) {
  const { organizationId, actions } = props;
  const router = useRouter();
  const [run, setRun] = useState(props.latest);
  const [problem, setProblem] = useState<string | null>(null);
  const [isStarting, startTransition] = useTransition();
  const readRun = useRef(actions.read);
  readRun.current = actions.read;

  useEffect(() => setRun(props.latest), [props.latest]);

  const tone = toneOf(run);
  const runId = tone === "running" ? run?.id : undefined;

  // The job runs on the server: ask how far it is until it ends.
  useEffect(() => {
    if (!runId) return;
    let stopped = false;
    const timer = setInterval(async () => {
      const result = await readRun.current(organizationId, runId);
      if (stopped) return;
      if (!result.ok) {
        setProblem(result.message);
        return;
      }
      setProblem(null);
      setRun(result.data);
      if (toneOf(result.data) !== "running") router.refresh();
    }, POLL_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [organizationId, router, runId]);

  const start = () =>
    startTransition(async () => {
      const result = await actions.start(organizationId);
      setProblem(result.ok ? null : result.message);
      if (result.ok) setRun(result.data);
    });

  const cancel = () =>
    startTransition(async () => {
      if (!runId) return;
      const result = await actions.cancel(organizationId, runId);
      if (!result.ok) setProblem(result.message);
    });

  return (
    <div>
      <div className="flex flex-wrap items-start gap-3">
        <SealMark tone={tone} className="-mt-1 size-9 max-sm:hidden" />
        <div className="min-w-0 flex-1 max-sm:basis-full" aria-live="polite">
          <h1
            className={`text-[22px] leading-7 font-semibold tracking-[-0.02em] text-balance ${tone === "broken" ? "text-(--in-failed)" : ""}`}
            data-testid="verdict"
          >
            {sentence(run)}
          </h1>
          <p className="mt-1 max-w-[98ch] text-(--text-2)">{support(run, props.nextSeq)}</p>
          {tone !== "broken" && props.watch?.finding === null && props.watch.checkedTo > 0 && (
            <p className="mt-1 max-w-[98ch] text-(--text-2)" data-testid="watched">
              Checked as it grows: new events up to {formatSeq(props.watch.checkedTo - 1)} were
              verified, last {formatMoment(props.watch.checkedAt)}.
            </p>
          )}
        </div>
        {props.canVerify &&
          (runId ? (
            <Button onClick={cancel} disabled={isStarting}>
              Cancel
            </Button>
          ) : (
            <Button variant="primary" onClick={start} disabled={isStarting}>
              {props.latest ? "Verify again" : "Verify"}
            </Button>
          ))}
      </div>
      {run && tone === "running" && <Progress run={run} />}
      {problem && (
        <p role="alert" className="mt-3 text-(--in-fetch)">
          {problem}
        </p>
      )}
    </div>
  );
}

function Progress(props: { run: Verification }) {
  const { checked, total, rate_per_s: rate, eta_s: eta } = props.run.progress;
  const isQueued = props.run.state === "queued";
  return (
    <div className="mt-4">
      <progress
        className="block h-1.5 w-full overflow-hidden rounded-full [&::-moz-progress-bar]:bg-(--accent-line) [&::-webkit-progress-bar]:bg-(--sunken) [&::-webkit-progress-value]:bg-(--accent-line)"
        aria-label="Verification progress"
        max={total > 0 ? total : undefined}
        value={total > 0 ? checked : undefined}
      />
      <p className="mt-1.5 flex flex-wrap gap-x-4 text-[12px] text-(--text-2)">
        {isQueued ? (
          <span>Waiting for the worker.</span>
        ) : (
          <>
            <span>
              {formatCount(checked)} of {formatCount(total)} events
            </span>
            <span>{formatCount(Math.round(rate))} per second</span>
            {eta !== null && <span>about {formatDuration(eta * 1_000)} left</span>}
          </>
        )}
      </p>
    </div>
  );
}
