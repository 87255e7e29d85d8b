import type { DestinationId, StreamSummary } from "@/lib/streams/schema";

export interface HeaderDraft {
  /** Stable while the row is edited. */
  key: number;
  name: string;
  value: string;
}

/** What the form holds: text as typed, secrets only when they are being replaced. */
export interface Draft {
  name: string;
  destination: DestinationId;
  url: string;
  format: "json" | "ndjson";
  headers: HeaderDraft[];
  index: string;
  sourcetype: string;
  source: string;
  signingSecret: string;
  token: string;
  from: "start" | "now";
}

export const emptyDraft: Draft = {
  name: "",
  destination: "webhook",
  url: "",
  format: "json",
  headers: [],
  index: "",
  sourcetype: "",
  source: "",
  signingSecret: "",
  token: "",
  from: "start",
};

export function draftOf(stream: StreamSummary): Draft {
  const { config } = stream;
  const common = { ...emptyDraft, name: stream.name, destination: stream.destination };
  if ("format" in config) {
    const headers = config.headers.map((name, key) => ({ key, name, value: "" }));
    return { ...common, url: config.url, format: config.format, headers };
  }
  const { url, index = "", sourcetype = "", source = "" } = config;
  return { ...common, url, index, sourcetype, source };
}

const named = (draft: Draft) => draft.headers.filter(({ name }) => name.trim() !== "");

function configOf(draft: Draft): Record<string, unknown> {
  const { url } = draft;
  if (draft.destination === "webhook") {
    return { url, format: draft.format, headers: named(draft).map(({ name }) => name.trim()) };
  }
  return { url, index: draft.index, sourcetype: draft.sourcetype, source: draft.source };
}

function secretsOf(draft: Draft): Record<string, string> {
  const entered =
    draft.destination === "webhook"
      ? [
          ["signing_secret", draft.signingSecret],
          ...named(draft).map(({ name, value }) => [`header:${name.trim()}`, value]),
        ]
      : [["token", draft.token]];
  return Object.fromEntries(entered.filter(([, value]) => value !== ""));
}

/** The input of the test action. */
export function testInputOf(draft: Draft): object {
  return {
    destination: draft.destination,
    config: configOf(draft),
    secrets: secretsOf(draft),
  };
}

export function createInputOf(draft: Draft): object {
  return { ...testInputOf(draft), name: draft.name, from: draft.from };
}

export function updateInputOf(id: string, draft: Draft): object {
  return { id, name: draft.name, config: configOf(draft), secrets: secretsOf(draft) };
}
