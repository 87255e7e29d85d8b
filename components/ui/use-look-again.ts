import { useEffect } from "react";

const POLL_MS = 1_000;

/** Reads again each second while something is under way and the page is visible. */
export function useLookAgain(isUnderWay: boolean, read: () => Promise<void>): void {
  useEffect(() => {
    if (!isUnderWay) return;
    let isReading = false;
    const timer = setInterval(async () => {
      // Actions wait for one another: a slow server gets no queue of these.
      if (isReading || document.visibilityState !== "visible") return;
      isReading = true;
      await read();
      isReading = false;
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [isUnderWay, read]);
}
