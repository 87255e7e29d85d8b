import { expect, it } from "vitest";
import { streamOfContract } from "./contract";
import { destinations } from "./registry";
import { type StreamState, type StreamSummary, streamStates } from "./schema";

/** Destinations that the compatible API has a name for: contract §9. */
const NAMED: Record<string, string> = {
  ...{ splunk: "Splunk", datadog: "Datadog", sentinel: "AzureSentinel" },
  ...{ s3: "S3", gcs: "GoogleCloudStorage" },
};

const answer = (destination: string, state: StreamState) =>
  streamOfContract({
    ...{ id: "als_1", destination, state, createdAt: "2026-02-01T10:00:00.000Z" },
    lastSuccessAt: null,
  } as StreamSummary);

it("every destination answers by the contract's name, and GenericHttps where it has none", () => {
  for (const { id } of destinations)
    expect(answer(id, "active"), id).toEqual({
      id: "als_1",
      type: NAMED[id] ?? "GenericHttps",
      state: "active",
      last_synced_at: null,
      created_at: "2026-02-01T10:00:00.000Z",
    });
});

it("a destination that only another version knows is GenericHttps: the others of the list are answered", () => {
  expect(answer("kafka", "error")).toMatchObject({ type: "GenericHttps", state: "invalid" });
});

it("what waiting may cure is error, what somebody has to change is invalid, what a person stopped is inactive", () => {
  const states = streamStates.map((state) => (answer("webhook", state) as { state: string }).state);
  expect(streamStates).toEqual(["active", "degraded", "error", "paused", "disabled"]);
  expect(states).toEqual(["active", "error", "invalid", "inactive", "invalid"]);
});
