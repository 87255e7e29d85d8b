import { describe, expect, it } from "vitest";
import type { StreamState, StreamSummary } from "@/lib/streams/schema";
import { draftOf, emptyDraft, testInputOf, updateInputOf } from "./draft";
import { formatSpan, listSentence } from "./words";

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

describe("the form's draft", () => {
  const stream = {
    id: "als_1",
    name: "SOC",
    destination: "webhook",
    config: { url: "https://h.example/", format: "ndjson", headers: ["X-Team"] },
  } as StreamSummary;

  it("a stored secret that is not entered again is not sent, so that it stays", () => {
    expect(updateInputOf("als_1", draftOf(stream))).toEqual({
      id: "als_1",
      name: "SOC",
      config: { url: "https://h.example/", format: "ndjson", headers: ["X-Team"] },
      secrets: {},
    });
  });

  it("only what belongs to the chosen destination is sent", () => {
    const draft = { ...emptyDraft, url: "https://s.example", token: "T", signingSecret: "whsec_x" };
    expect(testInputOf({ ...draft, destination: "splunk" })).toEqual({
      destination: "splunk",
      config: { url: "https://s.example", index: "", sourcetype: "", source: "" },
      secrets: { token: "T" },
    });
  });
});
