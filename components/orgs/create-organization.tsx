"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";

export function CreateOrganization(props: {
  create(name: string): Promise<ActionResult<{ id: string }>>;
  isFirst: boolean;
}) {
  const router = useRouter();
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "");
    startTransition(async () => {
      const result = await props.create(name);
      if (result.ok) router.push(`/o/${result.data.id}/events`);
      else setError(result.message);
    });
  };

  return (
    <form onSubmit={submit} className="grid gap-3">
      <Field label="Name" error={error}>
        {(control) => (
          <Input
            {...control}
            name="name"
            required
            maxLength={200}
            autoFocus={props.isFirst}
            placeholder="Acme"
          />
        )}
      </Field>
      <div>
        <Button type="submit" variant="primary" disabled={isPending}>
          Create organization
        </Button>
      </div>
    </form>
  );
}
