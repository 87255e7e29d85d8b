"use client";

import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { FormError } from "./form-error";
import { useSubmit } from "./use-submit";

export function NameForm(props: {
  name: string;
  change(input: { name: string }): Promise<ActionResult<null>>;
}) {
  const { errors, isPending, submit } = useSubmit();
  const [isSaved, setSaved] = useState(false);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name"));
    setSaved(false);
    submit(
      () => props.change({ name }),
      () => setSaved(true),
    );
  };
  return (
    <form onSubmit={save} className="grid gap-2">
      <FormError message={errors.form} />
      <div className="flex items-start gap-2 max-sm:flex-col max-sm:items-stretch">
        <div className="min-w-0 flex-1">
          <Field label="Your name" error={errors.name}>
            {(control) => (
              <Input
                {...control}
                name="name"
                autoComplete="name"
                required
                maxLength={200}
                defaultValue={props.name}
                onChange={() => setSaved(false)}
              />
            )}
          </Field>
        </div>
        <Button type="submit" disabled={isPending} className="sm:mt-6 sm:h-8">
          Save
        </Button>
      </div>
      <p role="status" className="text-[12px] text-(--text-3) empty:hidden">
        {isSaved ? "Saved." : ""}
      </p>
    </form>
  );
}
