"use client";

import { useEffect, useState } from "react";
import { useSight } from "@/components/events/seen";
import type { SealState } from "./proof-client";

/** After the list came to rest. */
const SETTLE_MS = 250;
/** A checkpoint comes within ten seconds. */
const ASK_AGAIN_MS = 12_000;
const MOST_AT_ONCE = 60;

/** What this browser proved of the events on screen, by sequence number; those not proven yet are missing. */
export function usePageProofs(
  organizationId: string,
  seqs: readonly number[],
): ReadonlyMap<number, SealState> {
  const [states, setStates] = useState<ReadonlyMap<number, SealState>>(new Map());
  // Hashes are those of whole events.
  const isMasked = (useSight()?.hidden.length ?? 0) > 0;
  const wanted = isMasked ? [] : seqs.filter((seq) => !states.has(seq)).slice(0, MOST_AT_ONCE);
  const asked = wanted.join();
  const isPending = seqs.some((seq) => states.get(seq) === "pending");

  useEffect(() => {
    if (!asked) return;
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { prove } = await import("./proof-client");
        const found = await prove(organizationId, asked.split(",").map(Number), controller.signal);
        if (!controller.signal.aborted) setStates((known) => new Map([...known, ...found.states]));
      } catch {
        // What could not be fetched says nothing about an event: its mark stays open.
      }
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [organizationId, asked]);

  useEffect(() => {
    if (!isPending) return;
    const timer = setInterval(
      () => setStates((known) => new Map([...known].filter(([, state]) => state !== "pending"))),
      ASK_AGAIN_MS,
    );
    return () => clearInterval(timer);
  }, [isPending]);

  return states;
}
