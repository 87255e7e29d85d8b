"use client";

import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { ActionResult } from "@/lib/http/action-result";
import type { DeadLetter, SavedStream, StreamSummary, TestResult } from "@/lib/streams/schema";
import { EditStream } from "./edit-stream";
import { StateMark } from "./state-mark";
import { StreamHealth } from "./stream-health";
import { TestReport } from "./test-report";
import { useFresh } from "./use-fresh";
import { formatCount, formatMoment } from "./words";

export interface StreamActions {
  read(organizationId: string, id: string): Promise<ActionResult<StreamSummary>>;
  test(organizationId: string, id: string): Promise<ActionResult<TestResult>>;
  pause(organizationId: string, id: string): Promise<ActionResult<StreamSummary>>;
  resume(organizationId: string, id: string): Promise<ActionResult<StreamSummary>>;
  remove(organizationId: string, id: string): Promise<ActionResult<null>>;
  update(organizationId: string, input: unknown): Promise<ActionResult<SavedStream>>;
}

interface Props {
  organizationId: string;
  stream: StreamSummary;
  deadLetters: DeadLetter[];
  actions: StreamActions;
}

/** One stream: health, what to do about it, configuration, events set aside. */
export function StreamDetail({ organizationId, stream: initial, deadLetters, actions }: Props) {
  const router = useRouter();
  const fresh = useFresh(initial, () => actions.read(organizationId, initial.id));
  const stream = fresh.data;
  const [problem, setProblem] = useState<string | null>(null);
  const [result, setResult] = useState<TestResult | null>(null);
  const [confirmsDelete, setConfirmsDelete] = useState(false);
  const [isBusy, startTransition] = useTransition();

  function act<T>(action: () => Promise<ActionResult<T>>, done: (data: T) => void): void {
    startTransition(async () => {
      try {
        const answer = await action();
        setProblem(answer.ok ? null : answer.message);
        if (answer.ok) done(answer.data);
      } catch {
        setProblem("The server did not answer.");
      }
    });
  }
  const reread = () => void fresh.refresh();
  const isStopped = stream.state === "paused" || stream.state === "disabled";
  const { id } = stream;

  return (
    <div className="max-w-[1080px]">
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <h1 className="flex flex-wrap items-baseline gap-x-3 text-[16px] leading-6 font-semibold tracking-[-0.012em]">
            {stream.name}
            <span className="text-[13px]">
              <StateMark state={stream.state} />
            </span>
          </h1>
          <p className="truncate text-(--text-2)">
            {stream.destinationLabel}, {stream.description}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button
            disabled={isBusy}
            onClick={() => act(() => actions.test(organizationId, id), setResult)}
          >
            Send a test event
          </Button>
          {isStopped ? (
            <Button
              variant="primary"
              disabled={isBusy}
              onClick={() => act(() => actions.resume(organizationId, id), reread)}
            >
              Resume
            </Button>
          ) : (
            <>
              {stream.failures > 0 && (
                <Button
                  disabled={isBusy}
                  onClick={() => act(() => actions.resume(organizationId, id), reread)}
                >
                  Try now
                </Button>
              )}
              <Button
                disabled={isBusy}
                onClick={() => act(() => actions.pause(organizationId, id), reread)}
              >
                Pause
              </Button>
            </>
          )}
          <Button variant="danger" disabled={isBusy} onClick={() => setConfirmsDelete(true)}>
            Delete
          </Button>
        </div>
      </div>
      <Dialog
        open={confirmsDelete}
        onOpenChange={setConfirmsDelete}
        title={`Delete ${stream.name}?`}
        description={`Delivery stops; the stream's secrets and its place in the log are forgotten. What the receiver has stays there. ${
          stream.lagEvents > 0 ? `${formatCount(stream.lagEvents)} events still wait.` : ""
        }`}
      >
        <div className="flex justify-end gap-2">
          <Button onClick={() => setConfirmsDelete(false)}>Keep</Button>
          <Button
            variant="danger"
            disabled={isBusy}
            onClick={() =>
              act(
                () => actions.remove(organizationId, id),
                () => router.push(`/o/${organizationId}/integrity/streams`),
              )
            }
          >
            Delete
          </Button>
        </div>
      </Dialog>
      {(problem ?? fresh.problem) && (
        <p role="alert" className="mt-3 text-(--in-fetch)">
          {problem ?? fresh.problem}
        </p>
      )}
      {result && (
        <div className="mt-5 border-b border-(--border) pb-6">
          <TestReport result={result} />
        </div>
      )}
      <StreamHealth stream={stream} />
      {deadLetters.length > 0 && <DeadLetters letters={deadLetters} total={stream.deadLetters} />}
      <EditStream
        organizationId={organizationId}
        stream={stream}
        update={actions.update}
        onSaved={reread}
      />
    </div>
  );
}

function DeadLetters({ letters, total }: { letters: DeadLetter[]; total: number }) {
  return (
    <section className="mt-6" aria-labelledby="set-aside">
      <h2 id="set-aside" className="text-[14px] font-semibold tracking-[-0.012em]">
        Events set aside{" "}
        <span className="text-[12px] font-normal text-(--text-3)">
          {formatCount(total)}, newest first
        </span>
      </h2>
      <p className="text-(--text-2)">
        The receiver refused each of them on its own. They are in the log, not at the receiver.
      </p>
      <table className="mt-2 w-full table-fixed border-separate border-spacing-0">
        <thead className="text-[12px] text-(--text-3)">
          <tr className="[&>th]:h-7 [&>th]:border-b [&>th]:border-(--border) [&>th]:text-left [&>th]:font-normal">
            <th className="w-[96px]">Sequence</th>
            <th>Reason</th>
            <th className="w-[176px] max-sm:hidden">Set aside</th>
          </tr>
        </thead>
        <tbody>
          {letters.map((letter) => (
            <tr
              key={letter.seq}
              className="[&>td]:border-b [&>td]:border-(--border) [&>td]:py-1.5 [&>td]:align-top"
            >
              <td className="font-mono text-[12px]">#{formatCount(letter.seq)}</td>
              <td className="pr-3 text-[12px] break-words">{letter.reason}</td>
              <td className="text-[12px] text-(--text-2) tabular-nums max-sm:hidden">
                {formatMoment(letter.createdAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
