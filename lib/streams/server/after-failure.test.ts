import { expect, it } from "vitest";
import { item } from "../destinations/test-batches";
import { problem } from "../problems";
import { afterFailure } from "./after-failure";

const settings = { backoffMs: 1_000, maxBackoffMs: 60_000, probeMs: 900_000 };
const events = [4, 5, 9, 12].map((seq) => item(seq));
const retry = (code: string, retryAfterS: number | null = null) =>
  ({ kind: "retry", problem: problem(code, "", ""), retryAfterS }) as const;

it("a request that was not answered in time is tried again with half of its events, down to one", () => {
  expect(afterFailure(retry("timeout"), settings, 0, events).narrowedTo).toBe(6);
  expect(afterFailure(retry("timeout"), settings, 0, events.slice(0, 1)).narrowedTo).toBeNull();
});

it("any other failure repeats the range, after a pause as long as the receiver asks for, an hour at most", () => {
  expect(afterFailure(retry("http_503"), settings, 0, events)).toMatchObject({
    ...{ state: "degraded", narrowedTo: null },
  });
  expect(afterFailure(retry("http_429", 90), settings, 0, events).delayMs).toBe(90_000);
  expect(afterFailure(retry("http_429", 1e6), settings, 0, events).delayMs).toBe(3_600_000);
});

it("pauses grow with failures up to their limit", () => {
  for (const [failures, most] of [
    [0, 1_000],
    [3, 8_000],
    [40, 60_000],
  ] as const)
    for (let run = 0; run < 50; run += 1)
      expect(afterFailure(retry("reset"), settings, failures, events).delayMs).toBeLessThan(most);
});

it("what somebody has to change is probed now and then; a receiver that wants no more is not", () => {
  const cause = problem("x", "", "");
  const after = (kind: "config_error" | "gone") =>
    afterFailure({ kind, problem: cause }, settings, 0, events);
  expect(after("config_error")).toEqual({ state: "error", delayMs: 900_000, narrowedTo: null });
  expect(after("gone").state).toBe("disabled");
});
