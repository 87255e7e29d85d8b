import { alertOnStreams } from "@/lib/streams/server/alarms";
import { pause } from "./pause";

const IDLE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

export async function watchStreams(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    await alertOnStreams();
    // Looking takes a small part of the time, however many streams there are.
    const pauseMs = Math.min(LONGEST_PAUSE_MS, (performance.now() - started) * 20);
    await pause(Math.max(IDLE_MS, pauseMs), signal);
  }
}
