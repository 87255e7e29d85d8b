"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { DeadLetter } from "@/lib/streams/schema";
import type { StreamPart } from "./stream-detail";
import { useFresh } from "./use-fresh";
import { useWork } from "./use-work";
import { countEvents, formatCount, formatMoment } from "./words";

/** Events that the receiver refused on their own: sent again, or given up. */
export function SetAside({ organizationId, stream, actions, onChanged }: StreamPart) {
  const { id } = stream;
  const fresh = useFresh<DeadLetter[], null>(null, () =>
    actions.listDeadLetters(organizationId, id),
  );
  const { run, problem, isBusy } = useWork();
  const [given, setGiven] = useState<DeadLetter | "all" | null>(null);
  const letters = fresh.data;
  const changed = () => {
    setGiven(null);
    onChanged();
    void fresh.refresh();
  };
  const redrive = (seqs?: number[]) =>
    run(() => actions.redrive(organizationId, { id, ...(seqs ? { seqs } : {}) }), changed);
  const discard = (letter: DeadLetter | "all") => {
    const named = letter === "all" ? {} : { seqs: [letter.seq] };
    return run(() => actions.discard(organizationId, { id, ...named }), changed);
  };
  const waiting = letters?.filter(({ lane }) => lane === null) ?? [];
  return (
    <section aria-label="Set aside">
      <div className="flex min-h-7 flex-wrap items-center gap-3">
        <p className="min-w-0 flex-1 basis-64 text-(--text-2)">
          The receiver refused each of these on its own. They are in the log, not at the receiver.
        </p>
        {waiting.length > 0 && (
          <div className="flex gap-2">
            <Button disabled={isBusy} onClick={() => redrive()}>
              Send all again
            </Button>
            <Button variant="danger" disabled={isBusy} onClick={() => setGiven("all")}>
              Discard all
            </Button>
          </div>
        )}
      </div>
      {(problem ?? fresh.problem) && (
        <p role="alert" className="mt-2 text-(--in-fetch)">
          {problem ?? fresh.problem}
        </p>
      )}
      {letters?.length === 0 && <p className="mt-4 text-(--text-3)">No event is set aside.</p>}
      {!letters && !fresh.problem && (
        <div
          role="status"
          aria-label="Loading events set aside"
          className="mt-4 h-24 animate-pulse rounded-[5px] bg-(--sunken)"
        />
      )}
      {letters && letters.length > 0 && (
        <ul className="mt-3 border-t border-(--border)">
          {letters.map((letter) => (
            <li
              key={letter.seq}
              className="grid grid-cols-[88px_minmax(0,1fr)_auto] items-start gap-x-3 border-b border-(--border) py-2 max-sm:grid-cols-[minmax(0,1fr)]"
            >
              <p className="font-mono text-[12px] leading-7">#{formatCount(letter.seq)}</p>
              <div className="min-w-0 text-[12px]">
                <p className="break-words sm:pt-1.5">{letter.reason}</p>
                <p className="text-(--text-3) tabular-nums">{formatMoment(letter.createdAt)}</p>
              </div>
              {letter.lane === null ? (
                <div className="flex gap-2 max-sm:mt-2">
                  <Button
                    disabled={isBusy}
                    aria-label={`Send #${letter.seq} again`}
                    onClick={() => redrive([letter.seq])}
                  >
                    Send again
                  </Button>
                  <Button
                    variant="danger"
                    disabled={isBusy}
                    aria-label={`Discard #${letter.seq}`}
                    onClick={() => setGiven(letter)}
                  >
                    Discard
                  </Button>
                </div>
              ) : (
                <p className="text-[12px] leading-7 text-(--text-2)">Being sent again</p>
              )}
            </li>
          ))}
        </ul>
      )}
      {letters && stream.deadLetters > letters.length && (
        <p className="mt-2 text-[12px] text-(--text-3)">
          The newest {formatCount(letters.length)} of {countEvents(stream.deadLetters)}.
        </p>
      )}
      {given && (
        <Dialog
          open
          onOpenChange={(open) => !open && setGiven(null)}
          title={
            given === "all"
              ? "Discard all that is set aside?"
              : `Discard #${formatCount(given.seq)}?`
          }
          description={
            given === "all"
              ? "The events stay in the log and are not sent to this receiver any more. Who discarded them is recorded in the log."
              : "The event stays in the log and is not sent to this receiver any more. Who discarded it is recorded in the log."
          }
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setGiven(null)}>Keep</Button>
            <Button variant="danger" disabled={isBusy} onClick={() => discard(given)}>
              Discard
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
