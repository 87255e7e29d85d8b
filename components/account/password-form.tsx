"use client";

import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { FormError } from "./form-error";
import { useSubmit } from "./use-submit";

export function PasswordForm(props: {
  /** For password managers, which keep it beside the password. */
  email: string;
  change(input: { password: string; newPassword: string }): Promise<ActionResult<null>>;
}) {
  const { errors, isPending, submit } = useSubmit();
  const [isChanged, setChanged] = useState(false);
  const change = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const text = (name: string) => String(data.get(name) ?? "");
    setChanged(false);
    submit(
      () => props.change({ password: text("password"), newPassword: text("newPassword") }),
      () => {
        form.reset();
        setChanged(true);
      },
    );
  };
  return (
    <form method="post" onSubmit={change} className="grid gap-3">
      <FormError message={errors.form} />
      <input
        type="text"
        name="username"
        autoComplete="username"
        defaultValue={props.email}
        hidden
        readOnly
      />
      <div className="grid items-start gap-3 sm:grid-cols-2">
        <Field label="Present password" error={errors.password}>
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
        <Field label="New password" hint="At least 12 characters." error={errors.newPassword}>
          {(control) => (
            <Input
              {...control}
              name="newPassword"
              type="password"
              autoComplete="new-password"
              required
              minLength={12}
            />
          )}
        </Field>
      </div>
      <div className="flex items-center gap-3 max-sm:grid">
        <Button type="submit" disabled={isPending}>
          Change password
        </Button>
        <p role="status" className="text-[12px] text-(--text-3) empty:hidden">
          {isChanged ? "Changed. Your other sessions have ended." : ""}
        </p>
      </div>
    </form>
  );
}
