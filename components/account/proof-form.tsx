"use client";

import type { FormEvent } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { FormError } from "./form-error";
import { useSubmit } from "./use-submit";

export interface Proof {
  password: string;
  code: string;
}

/** Asks who has a session to show whose it is, before the second factor changes. */
export function ProofForm<T>(props: {
  /** Whether there is a second factor to be asked for as well. */
  withCode: boolean;
  /** What the button says. */
  label: string;
  isDanger?: boolean;
  send(proof: Proof): Promise<ActionResult<T>>;
  done(data: T): void;
  cancel(): void;
}) {
  const { errors, isPending, submit } = useSubmit();
  const prove = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string) => String(data.get(name) ?? "");
    submit(() => props.send({ password: text("password"), code: text("code") }), props.done);
  };
  return (
    <form method="post" onSubmit={prove} className="grid gap-3">
      <FormError message={errors.form} />
      <Field label="Password" error={errors.password}>
        {(control) => (
          <Input
            {...control}
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
        )}
      </Field>
      {props.withCode && (
        <Field
          label="Code"
          hint="Of your authenticator app, or a recovery code."
          error={errors.code}
        >
          {(control) => (
            <Input
              {...control}
              name="code"
              autoComplete="one-time-code"
              spellCheck={false}
              required
              maxLength={40}
              className="font-mono"
            />
          )}
        </Field>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={props.cancel}>Cancel</Button>
        <Button type="submit" variant={props.isDanger ? "danger" : "primary"} disabled={isPending}>
          {props.label}
        </Button>
      </div>
    </form>
  );
}
