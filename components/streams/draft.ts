import type { DestinationForm } from "@/lib/streams/registry";
import type { StreamSummary } from "@/lib/streams/schema";

export interface HeaderDraft {
  /** Stable while the row is edited. */
  key: number;
  name: string;
  value: string;
}

/** What the form holds: values as entered, secrets only when they are being replaced. */
export interface Draft {
  name: string;
  destination: string;
  config: Record<string, unknown>;
  headers: HeaderDraft[];
  secrets: Record<string, string>;
  format: string;
  filter: string;
  /** As entered: the server reads them. */
  heartbeatMinutes: number | string;
  lagAlertMinutes: number | string;
  from: "start" | "now" | "time";
  /** Where `from` is time: UTC as the browser's field has it, `2026-08-01T12:00`. */
  fromTime: string;
}

/** Before a destination is chosen. */
export const BLANK: Draft = {
  ...{ name: "", destination: "", config: {}, headers: [], secrets: {}, format: "", filter: "" },
  ...{ heartbeatMinutes: 60, lagAlertMinutes: 60, from: "now", fromTime: "" },
};

/** An untouched form of a destination; the name and what does not depend on it are kept from `before`. */
export function emptyDraft(form: DestinationForm, before = BLANK): Draft {
  const initial = form.fields.filter((field) => field.initial !== undefined);
  return {
    ...before,
    destination: form.id,
    config: Object.fromEntries(initial.map((field) => [field.name, field.initial])),
    headers: [],
    secrets: {},
    format: form.formats[0]?.id ?? "",
  };
}

export function draftOf(stream: StreamSummary): Draft {
  const { name, destination, config, format, filter, heartbeatMinutes, lagAlertMinutes } = stream;
  const names = Array.isArray(config.headers) ? (config.headers as string[]) : [];
  return {
    ...BLANK,
    ...{ name, destination, config, format, filter, heartbeatMinutes, lagAlertMinutes },
    headers: names.map((header, key) => ({ key, name: header, value: "" })),
  };
}

/** Whether a field or secret stands in the form as it is filled in now. */
export function isAsked(
  part: { when?: { field: string; equals: string | boolean } },
  { config }: Draft,
): boolean {
  return part.when === undefined || config[part.when.field] === part.when.equals;
}

const named = (draft: Draft) => draft.headers.filter(({ name }) => name.trim() !== "");

function configOf(draft: Draft, form: DestinationForm): Record<string, unknown> {
  const asked = form.fields.filter((field) => isAsked(field, draft));
  return Object.fromEntries(
    asked.map(({ name, kind }) => [
      name,
      kind === "headers" ? named(draft).map((header) => header.name.trim()) : draft.config[name],
    ]),
  );
}

function secretsOf(draft: Draft, form: DestinationForm): Record<string, string> {
  const asked = form.secrets.filter((secret) => secret.name !== "header" && isAsked(secret, draft));
  const entered = [
    ...asked.map(({ name }) => [name, draft.secrets[name] ?? ""]),
    ...named(draft).map(({ name, value }) => [`header:${name.trim()}`, value]),
  ];
  return Object.fromEntries(entered.filter(([, value]) => value !== ""));
}

/** The input of the test action. */
export function testInputOf(draft: Draft, form: DestinationForm): object {
  return {
    destination: draft.destination,
    config: configOf(draft, form),
    secrets: secretsOf(draft, form),
    format: draft.format,
  };
}

/** The input of the preview, which needs no secret. */
export function previewInputOf(draft: Draft, form: DestinationForm): object {
  const { destination, format, filter } = draft;
  return { destination, config: configOf(draft, form), format, filter };
}

const behaviourOf = ({ name, filter, heartbeatMinutes, lagAlertMinutes }: Draft) => ({
  ...{ name, filter, heartbeatMinutes, lagAlertMinutes },
});

/** The time that delivery begins at; null until it is whole. */
export function startTimeOf({ fromTime }: Draft): string | null {
  const ms = Date.parse(`${fromTime}Z`);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

export function createInputOf(draft: Draft, form: DestinationForm): object {
  const from = draft.from === "time" ? (startTimeOf(draft) ?? "") : draft.from;
  return { ...testInputOf(draft, form), ...behaviourOf(draft), from };
}

export function updateInputOf(id: string, draft: Draft, form: DestinationForm): object {
  const { destination: _, ...rest } = testInputOf(draft, form) as Record<string, unknown>;
  return { id, ...rest, ...behaviourOf(draft) };
}

/** A new stream's draft as it outlives a reload. */
export interface KeptDraft {
  draft: Draft;
  /** Steps below this were gone through. */
  furthest: number;
  /** Secrets had been entered: they are not kept. */
  hadSecrets: boolean;
}

/** Changes with the shape of what is kept, so that none is read that another version wrote. */
const storageKey = (organizationId: string) => `trailseal.stream-draft.1.${organizationId}`;

export function hasSecrets({ secrets, headers }: Draft): boolean {
  return [...Object.values(secrets), ...headers.map(({ value }) => value)].some(Boolean);
}

/** @param kept null forgets what there is */
export function keepDraft(organizationId: string, kept: KeptDraft | null): void {
  const key = storageKey(organizationId);
  try {
    if (!kept) {
      sessionStorage.removeItem(key);
      return;
    }
    const headers = kept.draft.headers.map((header) => ({ ...header, value: "" }));
    const draft = { ...kept.draft, secrets: {}, headers };
    sessionStorage.setItem(key, JSON.stringify({ ...kept, draft }));
  } catch {
    // Storage may be forbidden or full: then the draft lives as long as the page.
  }
}

/** Null when nothing is kept, or its destination is not there any more. */
export function keptDraft(organizationId: string, forms: DestinationForm[]): KeptDraft | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storageKey(organizationId)) ?? "null");
    return forms.some(({ id }) => id === kept?.draft.destination) ? kept : null;
  } catch {
    return null;
  }
}
