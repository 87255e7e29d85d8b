"use client";

import { useEffect, useState } from "react";
import type { EventDetail } from "@/lib/events/schema";
import type { CheckedProof } from "@/lib/integrity/proof-page/checked";
import type { SealState } from "./proof-client";
import { formatCount } from "./words";

type Found =
  | { kind: "checking" }
  | { kind: "unread" }
  | {
      kind: "found";
      state: SealState | undefined;
      checked: CheckedProof | undefined;
      vkeys: string[];
    };

const STEPS = [
  ["content", "The event hashes to its chain hash"],
  ["place", "The proof is of its place in the log"],
  ["signature", "A checkpoint is signed with the log's key"],
  ["inclusion", "The event is in the log that was signed"],
] as const;

const ASK_AGAIN_MS = 12_000;

/** The event's proof, recomputed in this browser from its canonical bytes to the signed checkpoint. */
export function ProofSteps({ event }: { event: EventDetail }) {
  const { organizationId, seq } = event;
  const [found, setFound] = useState<Found>({ kind: "checking" });
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt asks again.
  useEffect(() => {
    const controller = new AbortController();
    import("./proof-client")
      .then(({ prove }) => prove(organizationId, [seq], controller.signal))
      .then(
        ({ states, checked, vkeys }) =>
          setFound({ kind: "found", state: states.get(seq), checked: checked[0], vkeys }),
        () => !controller.signal.aborted && setFound({ kind: "unread" }),
      );
    return () => controller.abort();
  }, [organizationId, seq, attempt]);

  const isPending = found.kind === "found" && found.state === "pending";
  useEffect(() => {
    if (!isPending) return;
    const timer = setInterval(() => setAttempt((count) => count + 1), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isPending]);

  if (found.kind === "checking")
    return <p className="text-(--text-2)">Checking the proof in this browser…</p>;
  if (found.kind === "unread")
    return (
      <p role="alert" className="text-(--in-fetch)">
        The proof could not be read. This says nothing about the event.{" "}
        <button
          type="button"
          className="underline max-sm:py-2"
          onClick={() => setAttempt((count) => count + 1)}
        >
          Retry
        </button>
      </p>
    );
  if (isPending)
    return (
      <p className="font-medium text-(--in-pending)" data-testid="proof-state">
        Sealed. A checkpoint covers it within ten seconds.
      </p>
    );
  const { state, checked, vkeys } = found;
  if (!checked)
    return (
      <p className="font-medium text-(--in-failed)" data-testid="proof-state">
        {state === "failed"
          ? "What is stored does not lead from this event to the signed log."
          : "This event is not in the log any more."}
      </p>
    );
  const failedAt =
    checked.failed === null ? STEPS.length : STEPS.findIndex(([name]) => name === checked.failed);
  return (
    <div data-testid="proof-state">
      <p
        className={`font-medium ${state === "proven" ? "text-(--in-verified)" : "text-(--in-failed)"}`}
      >
        {state === "proven"
          ? "Proven in this browser: it stands in the signed log."
          : `Not proven: ${checked.detail}.`}
      </p>
      <ol className="mt-2 border-t border-(--border) text-[12px]">
        {STEPS.map(([name, words], at) => (
          <li key={name} className="flex gap-2 border-b border-(--border) py-1.5">
            <span
              className={`w-3 font-medium ${at < failedAt ? "text-(--in-verified)" : at === failedAt ? "text-(--in-failed)" : "text-(--text-3)"}`}
            >
              {at < failedAt ? "✓" : at === failedAt ? "✕" : "·"}
            </span>
            <span className={at > failedAt ? "text-(--text-3)" : ""}>{words}</span>
          </li>
        ))}
      </ol>
      {checked.checkpoint && (
        <p className="mt-2 font-mono text-[12px] break-all text-(--text-2)">
          {formatCount(checked.checkpoint.size)} events, root {checked.checkpoint.root.slice(0, 16)}
          …, key {vkeys[0]?.split("+")[1]}
        </p>
      )}
    </div>
  );
}
