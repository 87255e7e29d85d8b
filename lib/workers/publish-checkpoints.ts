import type { WitnessKind } from "@/lib/integrity/schema";
import { configuredWitnesses, publishDue } from "@/lib/integrity/server/witnesses";
import { log } from "@/lib/log";
import { pause } from "./pause";

const IDLE_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

/** Keeps a witness up with what is signed. One that takes nothing is told once, and tried on, ever less often. */
export async function publishAll(kind: WitnessKind, signal: AbortSignal): Promise<void> {
  const witness = configuredWitnesses().find((one) => one.kind === kind);
  const published = new Map<string, string>();
  let failures = 0;
  while (!signal.aborted) {
    const error = witness ? await publishDue(witness, published, signal) : null;
    if (error && failures === 0)
      log().error({ err: error, witness: kind }, "checkpoints cannot be published");
    if (!error && failures > 0) log().info({ witness: kind }, "checkpoints are published again");
    failures = error ? failures + 1 : 0;
    await pause(Math.min(IDLE_MS * 2 ** failures, LONGEST_WAIT_MS), signal);
  }
}
