"use client";

import { Check, ChevronDown, ChevronRight, TriangleAlert, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import type { StreamAttempt } from "@/lib/streams/schema";
import type { StreamPart } from "./stream-detail";
import { useWork } from "./use-work";
import { formatBytes, formatCount, formatMoment, OUTCOME_WORDS, seqRange } from "./words";

const PAGE = 50;
const HEAD =
  "h-7 border-b border-(--border) px-2 text-left text-[12px] font-normal text-(--text-3) first:pl-0";
const CELL = "border-b border-(--border)/60 px-2 py-1.5 align-middle first:pl-0 max-sm:py-2.5";

/** Requests of the stream, newest first; each opens to what was answered. */
export function Attempts({ organizationId, stream, actions }: StreamPart) {
  const { run, problem, isBusy } = useWork();
  const [attempts, setAttempts] = useState<StreamAttempt[] | null>(null);
  const [hasMore, setHasMore] = useState(false);
  const read = (before: StreamAttempt | undefined) =>
    run(
      () =>
        actions.listAttempts(organizationId, {
          ...{ id: stream.id, limit: PAGE },
          ...(before ? { before: before.id } : {}),
        }),
      (page) => {
        setAttempts(before ? [...(attempts ?? []), ...page] : page);
        setHasMore(page.length === PAGE);
      },
    );
  // biome-ignore lint/correctness/useExhaustiveDependencies: once; rows do not move by themselves.
  useEffect(() => read(undefined), []);

  const newest = attempts?.[0]?.at ?? "";
  const hasNewer =
    attempts !== null && stream.lastAttemptAt !== null && stream.lastAttemptAt > newest;
  return (
    <section aria-label="Attempts">
      <div className="flex min-h-7 flex-wrap items-center gap-3">
        <p className="min-w-0 flex-1 text-(--text-2)">
          Each request, newest first. They are kept for days; the events they brought stay in the
          log.
        </p>
        <Button disabled={isBusy} onClick={() => read(undefined)}>
          {hasNewer ? "Show newer" : "Refresh"}
        </Button>
      </div>
      {problem && (
        <p role="alert" className="mt-2 text-(--in-fetch)">
          {problem}
        </p>
      )}
      {attempts?.length === 0 && <p className="mt-4 text-(--text-3)">Nothing was sent yet.</p>}
      {!attempts && !problem && (
        <div
          role="status"
          aria-label="Loading attempts"
          className="mt-4 h-40 animate-pulse rounded-[5px] bg-(--sunken)"
        />
      )}
      {attempts && attempts.length > 0 && (
        <table className="mt-3 w-full table-fixed border-separate border-spacing-0">
          <caption className="sr-only">Attempts, newest first</caption>
          <thead>
            <tr>
              <th className={`${HEAD} w-[176px] max-sm:w-[166px]`}>Time</th>
              <th className={HEAD}>Outcome</th>
              <th className={`${HEAD} w-[168px] max-md:hidden`}>Events</th>
              <th className={`${HEAD} w-[76px] !text-right max-md:hidden`}>Size</th>
              <th className={`${HEAD} w-[64px] !text-right max-sm:hidden`}>Status</th>
              <th className={`${HEAD} w-[72px] max-sm:w-[60px] !text-right`}>ms</th>
            </tr>
          </thead>
          <tbody>
            {attempts.map((attempt) => (
              <Attempt key={attempt.id} attempt={attempt} />
            ))}
          </tbody>
        </table>
      )}
      {hasMore && (
        <Button className="mt-3" disabled={isBusy} onClick={() => read(attempts?.at(-1))}>
          {isBusy ? "Loading…" : "Older attempts"}
        </Button>
      )}
    </section>
  );
}

function Attempt({ attempt }: { attempt: StreamAttempt }) {
  const [isOpen, setOpen] = useState(false);
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <>
      <tr className="relative hover:bg-(--hover)">
        <td className={CELL}>
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
            className="flex items-center gap-1.5 text-left text-[12px] tabular-nums after:absolute after:inset-0 focus-visible:shadow-none focus-visible:after:shadow-(--focus-inset)"
          >
            <Chevron aria-hidden="true" className="size-3.5 shrink-0 text-(--text-3)" />
            {formatMoment(attempt.at)}
          </button>
        </td>
        <td className={`${CELL} sm:truncate`}>
          <Outcome attempt={attempt} />
        </td>
        <td className={`${CELL} truncate text-[12px] max-md:hidden`}>
          {isCheckpoint(attempt) ? (
            "Checkpoint"
          ) : (
            <>
              {formatCount(attempt.events)}
              <span className="ml-2 font-mono text-(--text-3)">{seqRange(attempt)}</span>
            </>
          )}
        </td>
        <td className={`${CELL} text-right text-[12px] tabular-nums max-md:hidden`}>
          {formatBytes(attempt.bytes)}
        </td>
        <td className={`${CELL} text-right font-mono text-[12px] max-sm:hidden`}>
          {attempt.status ?? "–"}
        </td>
        <td className={`${CELL} text-right font-mono text-[12px]`}>
          {formatCount(attempt.latencyMs)}
        </td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={6} className="border-b border-(--border)/60 py-2 pr-2 pl-5">
            <Detail attempt={attempt} />
          </td>
        </tr>
      )}
    </>
  );
}

/** It covers no event of the log. */
const isCheckpoint = ({ fromSeq, toSeq }: StreamAttempt) => fromSeq === toSeq;

function Outcome({ attempt }: { attempt: StreamAttempt }) {
  const { word, tone } = OUTCOME_WORDS[attempt.outcome];
  const Icon = { good: Check, part: TriangleAlert, bad: X }[tone];
  const colour = {
    good: "text-(--st-active)",
    part: "text-(--st-degraded)",
    bad: "text-(--st-failing)",
  }[tone];
  return (
    <span className="inline-flex max-w-full items-center gap-1.5">
      <Icon aria-hidden="true" className={`size-3.5 shrink-0 ${colour}`} />
      <span className="truncate">
        {word}
        {attempt.lane !== "live" && <span className="text-(--text-3)">, job</span>}
      </span>
    </span>
  );
}

function Detail({ attempt }: { attempt: StreamAttempt }) {
  return (
    <div className="grid gap-1.5 text-[12px]">
      <p className="text-(--text-2)">
        {isCheckpoint(attempt)
          ? `A checkpoint, before #${formatCount(attempt.fromSeq)}`
          : `${formatCount(attempt.events)} of ${seqRange(attempt)}`}
        , {formatBytes(attempt.bytes)}
        {attempt.status !== null && `, answered ${attempt.status}`}.
      </p>
      {attempt.message && (
        <p>
          {attempt.message}{" "}
          {attempt.code && <code className="font-mono text-(--text-3)">{attempt.code}</code>}
        </p>
      )}
      {attempt.reply ? (
        <pre className="rounded-[5px] bg-(--sunken) p-3 font-mono break-words whitespace-pre-wrap">
          {attempt.reply}
        </pre>
      ) : (
        <p className="text-(--text-3)">The answer had no text.</p>
      )}
    </div>
  );
}
