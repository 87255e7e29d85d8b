"use client";

import { type FormEvent, useRef, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";

interface Props {
  organizationId: string;
  create(organizationId: string, name: string): Promise<ActionResult<{ id: string; key: string }>>;
  onCreated?(key: string): void;
}

/** Makes a key and shows it once. */
export function CreateKey(props: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [created, setCreated] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "");
    startTransition(async () => {
      const result = await props.create(props.organizationId, name);
      setError(result.ok ? null : result.message);
      if (!result.ok) return;
      setCreated(result.data.key);
      props.onCreated?.(result.data.key);
      form.current?.reset();
    });
  };

  return (
    <div className="mt-5 grid max-w-[560px] gap-3">
      <form
        ref={form}
        onSubmit={submit}
        className="flex items-end gap-2 max-sm:flex-col max-sm:items-stretch"
      >
        <div className="min-w-0 flex-1">
          <Field label="Name of the application" error={error}>
            {(control) => (
              <Input
                {...control}
                name="name"
                required
                maxLength={200}
                placeholder="billing service"
              />
            )}
          </Field>
        </div>
        <Button type="submit" variant="primary" disabled={isPending} className="h-8">
          Create key
        </Button>
      </form>
      {created && (
        <div
          role="status"
          className="grid gap-1.5 rounded-[5px] border border-(--accent-line) bg-(--accent-tint) p-3"
        >
          <p>Copy the key now: it is not kept and cannot be shown again.</p>
          <div className="flex items-center gap-2">
            <code className="min-w-0 flex-1 font-mono text-[12px] break-all" data-testid="new-key">
              {created}
            </code>
            <CopyButton text={created} label="Copy the key">
              Copy
            </CopyButton>
          </div>
        </div>
      )}
    </div>
  );
}
