"use client";

import { Plus, X } from "lucide-react";
import { Button } from "@/components/ui/button";
import type { SecretInfo } from "@/lib/streams/schema";
import type { Draft, HeaderDraft } from "./draft";
import { Choices, TextField } from "./field";
import { formatMoment } from "./words";

const FORMATS = [
  { id: "json", label: "JSON array", about: "Up to 500 events per request, one array." },
  { id: "ndjson", label: "NDJSON", about: "One event per line." },
] as const;

const MAX_HEADERS = 20;

interface Props {
  draft: Draft;
  /** Messages by field path of the request: `config.url`, `secrets.token`. */
  errors: Record<string, string>;
  /** Secrets that are stored already; empty for a new stream. */
  stored: Record<string, SecretInfo>;
  onChange(change: Partial<Draft>): void;
}

function storedHint(secret: SecretInfo | undefined): string | null {
  if (!secret) return null;
  const ends = secret.last4 ? `, ends in ${secret.last4}` : "";
  return `Saved ${formatMoment(secret.updatedAt)}${ends}. Leave empty to keep it.`;
}

/** Where events go and what is needed to get in. */
export function DraftFields(props: Props) {
  const { draft, errors, onChange } = props;
  return (
    <div className="grid gap-4">
      <TextField
        label="Name"
        value={draft.name}
        error={errors.name}
        required
        onChange={(event) => onChange({ name: event.target.value })}
      />
      <TextField
        label={draft.destination === "webhook" ? "Address" : "Collector address"}
        type="url"
        inputMode="url"
        mono
        required
        value={draft.url}
        error={errors["config.url"]}
        placeholder={
          draft.destination === "webhook"
            ? "https://siem.example.com/audit"
            : "https://splunk.example.com:8088"
        }
        hint={
          draft.destination === "webhook"
            ? "Events are sent by POST. Redirects are not followed."
            : "The path /services/collector/event is added."
        }
        onChange={(event) => onChange({ url: event.target.value })}
      />
      {draft.destination === "webhook" ? <WebhookFields {...props} /> : <SplunkFields {...props} />}
    </div>
  );
}

function WebhookFields({ draft, errors, stored, onChange }: Props) {
  return (
    <>
      <Choices
        legend="Body"
        name="format"
        value={draft.format}
        options={FORMATS}
        onChange={(format) => onChange({ format })}
      />
      <TextField
        label="Signing secret"
        type="password"
        mono
        value={draft.signingSecret}
        error={errors["secrets.signing_secret"]}
        placeholder="whsec_…"
        hint={
          storedHint(stored.signing_secret) ??
          "Leave empty to have one made. It is shown once after saving, then never again."
        }
        onChange={(event) => onChange({ signingSecret: event.target.value })}
      />
      <HeaderFields draft={draft} errors={errors} stored={stored} onChange={onChange} />
    </>
  );
}

function HeaderFields({ draft, errors, stored, onChange }: Props) {
  const { headers } = draft;
  const replace = (key: number, change: Partial<HeaderDraft>) =>
    onChange({
      headers: headers.map((header) => (header.key === key ? { ...header, ...change } : header)),
    });
  const add = () => {
    const key = Math.max(-1, ...headers.map((header) => header.key)) + 1;
    onChange({ headers: [...headers, { key, name: "", value: "" }] });
  };
  return (
    <fieldset>
      <legend className="font-medium">Custom headers</legend>
      <p className="text-[12px] text-(--text-3)">
        Values are stored sealed and never shown again: put a bearer token here.
      </p>
      <div className="mt-2 grid gap-3">
        {headers.map((header, position) => (
          <div
            key={header.key}
            className="grid grid-cols-[1fr_1.4fr_auto] items-start gap-2 max-sm:grid-cols-[1fr_auto]"
          >
            <TextField
              label={`Header ${position + 1}`}
              mono
              placeholder="Authorization"
              value={header.name}
              error={errors[`config.headers.${position}`]}
              onChange={(event) => replace(header.key, { name: event.target.value })}
            />
            <div className="max-sm:order-3 max-sm:col-span-2">
              <TextField
                label="Value"
                type="password"
                mono
                value={header.value}
                error={errors[`secrets.header:${header.name.trim()}`]}
                hint={storedHint(stored[`header:${header.name.trim()}`])}
                onChange={(event) => replace(header.key, { value: event.target.value })}
              />
            </div>
            <Button
              variant="quiet"
              icon
              className="mt-6.5"
              aria-label={`Remove header ${position + 1}`}
              onClick={() =>
                onChange({ headers: headers.filter((other) => other.key !== header.key) })
              }
            >
              <X aria-hidden="true" className="size-3.5" />
            </Button>
          </div>
        ))}
        {errors["config.headers"] && (
          <p className="text-[12px] text-(--in-failed)">{errors["config.headers"]}</p>
        )}
        {headers.length < MAX_HEADERS && (
          <div>
            <Button onClick={add}>
              <Plus aria-hidden="true" className="size-3.5" />
              Add header
            </Button>
          </div>
        )}
      </div>
    </fieldset>
  );
}

function SplunkFields({ draft, errors, stored, onChange }: Props) {
  return (
    <>
      <TextField
        label="Token"
        type="password"
        mono
        required={!stored.token}
        value={draft.token}
        error={errors["secrets.token"]}
        hint={
          storedHint(stored.token) ??
          "From Splunk: Settings, Data inputs, HTTP Event Collector. Never shown again after saving."
        }
        onChange={(event) => onChange({ token: event.target.value })}
      />
      <div className="grid grid-cols-3 items-start gap-3 max-sm:grid-cols-1">
        <TextField
          label="Index"
          mono
          value={draft.index}
          error={errors["config.index"]}
          hint="Empty: the token's own."
          onChange={(event) => onChange({ index: event.target.value })}
        />
        <TextField
          label="Source type"
          mono
          value={draft.sourcetype}
          error={errors["config.sourcetype"]}
          placeholder="trailseal:audit"
          onChange={(event) => onChange({ sourcetype: event.target.value })}
        />
        <TextField
          label="Source"
          mono
          value={draft.source}
          error={errors["config.source"]}
          placeholder="trailseal"
          onChange={(event) => onChange({ source: event.target.value })}
        />
      </div>
    </>
  );
}
