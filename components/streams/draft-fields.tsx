"use client";

import { Plus, X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Field, Select, TextArea } from "@/components/ui/field";
import type { FormField, FormSecret } from "@/lib/streams/form";
import type { DestinationForm } from "@/lib/streams/registry";
import type { SecretInfo } from "@/lib/streams/schema";
import { type Draft, type HeaderDraft, isAsked } from "./draft";
import { Choices, TextField } from "./field";
import { formatMoment } from "./words";

const MAX_HEADERS = 20;
/** More options than this are a menu. */
const MAX_CARDS = 4;

interface Props {
  draft: Draft;
  form: DestinationForm;
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

/** Where events go and what is needed to get in, as the destination declares it. Inputs have the path of their field as name. */
export function DraftFields(props: Props) {
  const { draft, form, errors, onChange } = props;
  return (
    <div className="grid gap-4">
      <TextField
        label="Name"
        name="name"
        value={draft.name}
        error={errors.name}
        required
        onChange={(event) => onChange({ name: event.target.value })}
      />
      {form.fields
        .filter((field) => isAsked(field, draft))
        .map((field) => (
          <ConfigField key={field.name} {...props} field={field} />
        ))}
      {form.secrets
        .filter((secret) => secret.name !== "header" && isAsked(secret, draft))
        .map((secret) => (
          <SecretField key={secret.name} {...props} secret={secret} />
        ))}
    </div>
  );
}

function ConfigField({ field, draft, errors, stored, onChange }: Props & { field: FormField }) {
  const { name, kind, label, hint, placeholder } = field;
  const value = draft.config[name];
  const set = (next: unknown) => onChange({ config: { ...draft.config, [name]: next } });
  const path = `config.${name}`;
  const error = errors[path];
  switch (kind) {
    case "headers":
      return <HeaderFields draft={draft} errors={errors} stored={stored} onChange={onChange} />;
    case "choice":
      if ((field.options ?? []).length > MAX_CARDS)
        return (
          <Field label={label} hint={hint} error={error}>
            {(control) => (
              <Select
                {...control}
                name={path}
                value={String(value)}
                onChange={(event) => set(event.target.value)}
              >
                {field.options?.map((option) => (
                  <option key={option.id} value={option.id}>
                    {[option.label, option.about].filter(Boolean).join(", ")}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        );
      return (
        <Choices
          legend={label}
          name={path}
          value={String(value)}
          options={(field.options ?? []).map((option) => ({ about: "", ...option }))}
          hint={hint}
          onChange={set}
        />
      );
    case "switch":
      return (
        <label className="flex items-start gap-2.5">
          <input
            type="checkbox"
            checked={value === true}
            onChange={(event) => set(event.target.checked)}
            className="mt-0.5 size-4 shrink-0 accent-(--accent)"
          />
          <span>
            <span className="block font-medium">{label}</span>
            {hint && <span className="block text-[12px] text-(--text-3)">{hint}</span>}
          </span>
        </label>
      );
    case "multiline":
      return (
        <Field label={label} hint={hint} error={error}>
          {(control) => (
            <TextArea
              {...control}
              name={path}
              rows={4}
              spellCheck={false}
              placeholder={placeholder}
              value={String(value ?? "")}
              onChange={(event) => set(event.target.value)}
            />
          )}
        </Field>
      );
    default:
      return (
        <TextField
          label={label}
          name={path}
          type={kind === "url" ? "url" : "text"}
          inputMode={kind === "url" ? "url" : kind === "number" ? "numeric" : undefined}
          mono
          required={field.required}
          value={String(value ?? "")}
          error={error}
          placeholder={placeholder}
          hint={hint}
          onChange={(event) => set(event.target.value)}
        />
      );
  }
}

function SecretField({ secret, draft, errors, stored, onChange }: Props & { secret: FormSecret }) {
  const { name, label, placeholder } = secret;
  const set = (value: string) => onChange({ secrets: { ...draft.secrets, [name]: value } });
  const common = {
    label,
    error: errors[`secrets.${name}`],
    hint: storedHint(stored[name]) ?? secret.hint,
  };
  const input = {
    name: `secrets.${name}`,
    placeholder,
    required: !stored[name] && !secret.optional && !secret.isGenerated,
    value: draft.secrets[name] ?? "",
  };
  if (secret.multiline)
    return (
      <Field {...common}>
        {(control) => (
          <TextArea
            {...control}
            {...input}
            rows={4}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => set(event.target.value)}
          />
        )}
      </Field>
    );
  return (
    <TextField
      {...common}
      {...input}
      type="password"
      mono
      onChange={(event) => set(event.target.value)}
    />
  );
}

function HeaderFields({ draft, errors, stored, onChange }: Omit<Props, "form">) {
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
              name={`config.headers.${position}`}
              mono
              placeholder="Authorization"
              value={header.name}
              error={errors[`config.headers.${position}`]}
              onChange={(event) => replace(header.key, { name: event.target.value })}
            />
            <div className="max-sm:order-3 max-sm:col-span-2">
              <TextField
                label="Value"
                name={`secrets.header:${header.name.trim()}`}
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
