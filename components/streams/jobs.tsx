"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { StreamLane } from "@/lib/streams/schema";
import type { StreamPart } from "./stream-detail";
import { useFresh } from "./use-fresh";
import { useWork } from "./use-work";
import { countEvents, formatCount, formatMoment, jobWord, seqRange } from "./words";

const StartBackfill = dynamic(() => import("./start-backfill").then((part) => part.StartBackfill), {
  loading: () => null,
});

/** Ranges sent once more beside live delivery, and what was set aside and goes again. */
export function Jobs(part: StreamPart) {
  const { organizationId, stream, actions } = part;
  const fresh = useFresh<StreamLane[], null>(null, () =>
    actions.readLanes(organizationId, stream.id),
  );
  const { run, problem, isBusy } = useWork();
  const [isStarting, setStarting] = useState(false);
  const lanes = fresh.data;
  return (
    <section aria-label="Backfills">
      <div className="flex min-h-7 flex-wrap items-center gap-3">
        <p className="min-w-0 flex-1 basis-64 text-(--text-2)">
          A part of the log sent once more, beside live delivery, which goes on.
        </p>
        <Button variant="primary" onClick={() => setStarting(true)}>
          Start a backfill
        </Button>
      </div>
      {(problem ?? fresh.problem) && (
        <p role="alert" className="mt-2 text-(--in-fetch)">
          {problem ?? fresh.problem}
        </p>
      )}
      {lanes?.length === 0 && <p className="mt-4 text-(--text-3)">None was started.</p>}
      {!lanes && !fresh.problem && (
        <div
          role="status"
          aria-label="Loading backfills"
          className="mt-4 h-24 animate-pulse rounded-[5px] bg-(--sunken)"
        />
      )}
      {lanes && lanes.length > 0 && (
        <ul className="mt-3 border-t border-(--border)">
          {lanes.map((lane) => (
            <Job
              key={lane.id}
              lane={lane}
              isBusy={isBusy}
              onResume={
                lane.state === "disabled" && stream.state !== "paused"
                  ? () =>
                      run(
                        () => actions.resume(organizationId, stream.id),
                        () => void fresh.refresh(),
                      )
                  : null
              }
              onCancel={() =>
                run(
                  () => actions.cancelLane(organizationId, { id: stream.id, lane: lane.id }),
                  () => void fresh.refresh(),
                )
              }
            />
          ))}
        </ul>
      )}
      {isStarting && (
        <StartBackfill
          {...part}
          onClose={() => setStarting(false)}
          onChanged={() => {
            setStarting(false);
            void fresh.refresh();
          }}
        />
      )}
    </section>
  );
}

interface JobProps {
  lane: StreamLane;
  isBusy: boolean;
  onCancel(): void;
  /** Null: it goes on by itself, or with its stream. */
  onResume: (() => void) | null;
}

function Job(props: JobProps) {
  const { lane } = props;
  const span = Math.max(1, lane.toSeq - lane.fromSeq);
  const share = Math.min(1, Math.max(0, (lane.cursorSeq - lane.fromSeq) / span));
  const percent = Math.floor(share * 100);
  const isOpen = lane.finishedAt === null;
  const { lastError } = lane;
  return (
    <li className="border-b border-(--border) py-2.5">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1 basis-64">
          <p>
            <span className="font-medium">
              {lane.kind === "redrive" ? "Set aside, sent again" : "Backfill"}
            </span>{" "}
            <span className="font-mono text-[12px] text-(--text-2)">{seqRange(lane)}</span>
          </p>
          <p className="text-[12px] text-(--text-3) tabular-nums">
            {formatMoment(lane.createdAt)}
            {lane.createdBy && `, ${lane.createdBy}`}
            {lane.ratePerSecond !== null &&
              `, at most ${countEvents(lane.ratePerSecond)} per second`}
          </p>
        </div>
        <p className="text-right text-[12px] text-(--text-2) tabular-nums max-sm:text-left">
          {jobWord(lane)}
          {isOpen ? `, ${percent} %` : lane.finishedAt && `, ${formatMoment(lane.finishedAt)}`}
          <br />
          {countEvents(lane.delivered)} delivered
        </p>
        {isOpen && props.onResume && (
          <Button disabled={props.isBusy} onClick={props.onResume}>
            Resume
          </Button>
        )}
        {isOpen && (
          <Button disabled={props.isBusy} onClick={props.onCancel}>
            Cancel
          </Button>
        )}
      </div>
      {isOpen && (
        <progress
          aria-label={`Progress of ${seqRange(lane)}`}
          max={span}
          value={lane.cursorSeq - lane.fromSeq}
          className="mt-2 block h-1 w-full appearance-none overflow-hidden rounded-full bg-(--sunken) [&::-moz-progress-bar]:bg-(--ch-1-strong) [&::-webkit-progress-bar]:bg-(--border) [&::-webkit-progress-value]:bg-(--ch-1-strong)"
        >
          {percent} %, {formatCount(lane.cursorSeq - lane.fromSeq)} of {formatCount(span)}
        </progress>
      )}
      {isOpen && lastError && (
        <p className="mt-1.5 text-[12px] text-(--in-failed)">
          {lastError.message} <span className="text-(--text-2)">{lastError.advice}</span>
        </p>
      )}
    </li>
  );
}
