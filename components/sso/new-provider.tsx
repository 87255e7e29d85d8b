"use client";

import { type FormEvent, useRef } from "react";
import { useSubmit } from "@/components/account/use-submit";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";

/** Begins a provider: its redirect URI comes first, since the other side asks for it. */
export function NewProvider(props: {
  organizationId: string;
  isFirst: boolean;
  create(organizationId: string, input: { name: string }): Promise<ActionResult<{ id: string }>>;
}) {
  const form = useRef<HTMLFormElement>(null);
  const { errors, isPending, submit } = useSubmit();
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name"));
    submit(
      () => props.create(props.organizationId, { name }),
      () => form.current?.reset(),
    );
  };
  return (
    <form
      ref={form}
      onSubmit={add}
      className="mt-8 flex max-w-[640px] items-start gap-2 max-sm:flex-col max-sm:items-stretch"
    >
      <div className="min-w-0 flex-1">
        <Field
          label={props.isFirst ? "Name of your identity provider" : "Another identity provider"}
          hint="People see it when they sign in."
          error={errors.name ?? errors.form}
        >
          {(control) => (
            <Input {...control} name="name" required maxLength={100} placeholder="Okta" />
          )}
        </Field>
      </div>
      <Button
        type="submit"
        variant={props.isFirst ? "primary" : "secondary"}
        disabled={isPending}
        className="sm:mt-6 sm:h-8"
      >
        Add provider
      </Button>
    </form>
  );
}
