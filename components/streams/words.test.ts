import { describe, expect, it } from "vitest";
import { type DestinationForm, destinationForms } from "@/lib/streams/registry";
import type { StreamLane, StreamState, StreamSummary } from "@/lib/streams/schema";
import { draftOf, emptyDraft, testInputOf, updateInputOf } from "./draft";
import { errorStanding, expiryWords, formatSpan, jobWord, listSentence } from "./words";

const withState = (state: StreamState) => ({ state }) as StreamSummary;

it("the list's sentence names every state that occurs, in words", () => {
  const states: StreamState[] = ["active", "active", "active", "degraded", "error", "paused"];
  expect(listSentence(states.map(withState))).toBe(
    "Three streams deliver, one retries, one fails, one is paused",
  );
  expect(listSentence([withState("active")])).toBe("One stream delivers");
  expect(listSentence([withState("disabled"), withState("disabled")])).toBe(
    "Two streams are switched off",
  );
});

it("an error is called recovered only when delivery got over it", () => {
  const standing = (state: StreamState, failures: number, code: string) =>
    errorStanding({ state, failures, lastError: { code } } as StreamSummary);
  expect(standing("degraded", 2, "http_503")).toBe("");
  expect(standing("active", 0, "http_503")).toBe("recovered");
  expect(standing("paused", 3, "http_503")).toBe("before the pause");
  expect(standing("active", 0, "otlp_partial")).toBe("delivery goes on");
  expect(standing("active", 0, "checkpoint_refused")).toBe("delivery goes on");
});

it("a job that was switched off is not called cancelled", () => {
  const lane = { state: "disabled", finishedAt: null } as StreamLane;
  expect(jobWord(lane)).toBe("Switched off");
  expect(jobWord({ ...lane, finishedAt: "2026-06-01T12:00:00Z" })).toBe("Cancelled");
});

it("spans read as people say them and never round up to a unit that has a larger one", () => {
  expect([0, 0.4, 9.9, 48, 59.6, 61, 3_540, 17_460, 180_000].map(formatSpan)).toEqual([
    "0 s",
    "0.4 s",
    "9.9 s",
    "48 s",
    "1 min",
    "1 min",
    "59 min",
    "4 h 51 min",
    "2 d 2 h",
  ]);
});

it("a credential that has run out is told apart from one that will", () => {
  const noon = Date.parse("2026-06-01T12:00:00Z");
  expect(expiryWords("2026-06-01T11:59:00Z", noon)).toBe("expired 1 Jun 2026");
  expect(expiryWords("2027-01-02T00:00:00Z", noon)).toBe("expires 2 Jan 2027");
});

describe("the form's draft", () => {
  const form = (id: string) =>
    destinationForms().find((known) => known.id === id) as DestinationForm;
  const stream = {
    id: "als_1",
    name: "SOC",
    destination: "webhook",
    config: { url: "https://h.example/", format: "ndjson", headers: ["X-Team"] },
    format: "trailseal",
    filter: "",
    heartbeatMinutes: 60,
    lagAlertMinutes: 60,
  } as unknown as StreamSummary;

  it("a stored secret that is not entered again is not sent, so that it stays", () => {
    const { id, name, config, format, filter, heartbeatMinutes, lagAlertMinutes } = stream;
    expect(updateInputOf("als_1", draftOf(stream), form("webhook"))).toEqual({
      ...{ id, name, config, format, filter, heartbeatMinutes, lagAlertMinutes },
      secrets: {},
    });
  });

  it("only what belongs to the chosen destination is sent", () => {
    const webhook = { ...emptyDraft(form("webhook")), secrets: { signing_secret: "whsec_x" } };
    const draft = { ...emptyDraft(form("splunk"), webhook), secrets: { token: "T", other: "x" } };
    draft.config.url = "https://s.example";
    expect(testInputOf(draft, form("splunk"))).toMatchObject({
      destination: "splunk",
      config: { url: "https://s.example" },
      secrets: { token: "T" },
    });
  });
});
