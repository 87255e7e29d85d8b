"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, TextArea } from "@/components/ui/field";
import type { FormSecret } from "@/lib/streams/form";
import type { DestinationForm } from "@/lib/streams/registry";
import { TextField } from "./field";
import { SecretsOnce } from "./secret-once";
import type { StreamPart } from "./stream-detail";
import { useWork } from "./use-work";
import { expiryWords, formatMoment } from "./words";

/** `header:X-Key` is declared as `header`. */
const specOf = (form: DestinationForm, name: string): FormSecret | undefined =>
  form.secrets.find((secret) => secret.name === name.split(":")[0]);

const labelOf = (form: DestinationForm, name: string): string => {
  const [kind, header] = name.split(":");
  return kind === "header" && header ? `Header ${header}` : (specOf(form, name)?.label ?? name);
};

/** Stored secrets, each replaced on its own. */
export function RotateSecrets(props: StreamPart & { form: DestinationForm }) {
  const { stream, form } = props;
  const [chosen, setChosen] = useState<string | null>(null);
  const [made, setMade] = useState<Record<string, string>>({});
  const names = Object.keys(stream.secrets);
  if (names.length === 0) return null;
  return (
    <section aria-labelledby="secrets" className="border-t border-(--border) pt-4">
      <h2 id="secrets" className="text-[14px] font-semibold tracking-[-0.012em]">
        Secrets
      </h2>
      <ul className="mt-1 mb-3">
        {names.map((name) => {
          const secret = stream.secrets[name];
          return (
            <li
              key={name}
              className="flex flex-wrap items-center gap-x-3 border-b border-(--border) py-1.5"
            >
              <span className="min-w-0 flex-1">
                {labelOf(form, name)}
                <span className="block text-[12px] text-(--text-3) tabular-nums">
                  Saved {secret && formatMoment(secret.updatedAt)}
                  {secret?.last4 && `, ends in ${secret.last4}`}
                  {secret?.expiresAt && `, ${expiryWords(secret.expiresAt)}`}
                </span>
              </span>
              <Button aria-label={`Rotate ${labelOf(form, name)}`} onClick={() => setChosen(name)}>
                Rotate
              </Button>
            </li>
          );
        })}
      </ul>
      {Object.keys(made).length > 0 && <SecretsOnce secrets={made} />}
      {chosen && (
        <Rotate
          {...props}
          name={chosen}
          onClose={() => setChosen(null)}
          onMade={(secrets) => {
            setChosen(null);
            setMade(secrets);
            props.onChanged();
          }}
        />
      )}
    </section>
  );
}

function Rotate(
  props: StreamPart & {
    form: DestinationForm;
    name: string;
    onClose(): void;
    onMade(secrets: Record<string, string>): void;
  },
) {
  const { organizationId, stream, actions, form, name } = props;
  const { run, problem, errors, isBusy } = useWork();
  const [value, setValue] = useState("");
  const spec = specOf(form, name);
  const common = {
    label: "New value",
    error: errors.value ?? errors[`secrets.${name}`],
    hint: spec?.isGenerated ? "Empty: one is made and shown once." : spec?.hint,
  };
  const input = {
    name: "value",
    value,
    placeholder: spec?.placeholder,
    required: !spec?.isGenerated,
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title={`Rotate ${labelOf(form, name)}`}
      description={
        spec?.isGenerated
          ? "The present one is used beside the new one for 24 hours, so that the receiver can be changed in between."
          : "Replaces the present one at once. The change is recorded in the log, the value is not."
      }
    >
      <form
        noValidate
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          run(
            () => actions.rotateSecret(organizationId, { id: stream.id, name, value }),
            (saved) => props.onMade(saved.generatedSecrets),
          );
        }}
      >
        {spec?.multiline ? (
          <Field {...common}>
            {(control) => (
              <TextArea
                {...control}
                {...input}
                rows={4}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setValue(event.target.value)}
              />
            )}
          </Field>
        ) : (
          <TextField
            {...common}
            {...input}
            type="password"
            mono
            onChange={(event) => setValue(event.target.value)}
          />
        )}
        {problem && Object.keys(errors).length === 0 && (
          <p role="alert" className="text-(--in-failed)">
            {problem}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={isBusy}>
            {isBusy ? "Replacing…" : "Rotate"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
