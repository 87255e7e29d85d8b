"use client";

import { type FormEvent, useRef, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import type { KeyPermission } from "@/lib/auth/permissions";
import type { ActionResult } from "@/lib/http/action-result";
import { NewKey } from "./new-key";

export type CreateKeyAction = (
  organizationId: string,
  input: { name: string; permissions: string[] },
) => Promise<ActionResult<{ id: string; key: string }>>;

interface Props {
  organizationId: string;
  create: CreateKeyAction;
  /** For administrators of the instance: makes a key for every organization. */
  createForInstance?: CreateKeyAction | undefined;
  /** Without the choice of permissions, a key can send events only. */
  isSimple?: boolean;
  onCreated?(key: string): void;
}

const PERMISSIONS: Record<KeyPermission, string> = {
  "events:write": "Send events",
  "events:read": "Read events",
  exports: "Make and fetch exports",
  schemas: "Manage schemas of actions",
  organizations: "Manage organizations and retention",
  admin: "Everything",
};

/** Makes a key and shows it once. */
export function CreateKey(props: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [created, setCreated] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const name = String(data.get("name") ?? "");
    const permissions = props.isSimple ? ["events:write"] : data.getAll("permissions").map(String);
    const isForAll = data.get("reach") === "instance";
    const create = (isForAll && props.createForInstance) || props.create;
    startTransition(async () => {
      const result = await create(props.organizationId, { name, permissions });
      setError(result.ok ? null : result.message);
      if (!result.ok) return;
      setCreated(result.data.key);
      props.onCreated?.(result.data.key);
      form.current?.reset();
    });
  };

  const submitButton = (
    <Button type="submit" variant="primary" disabled={isPending} className="h-8">
      Create key
    </Button>
  );
  return (
    <div className="mt-5 grid max-w-[560px] gap-3">
      <form ref={form} onSubmit={submit} className="grid gap-3">
        <div className="flex items-end gap-2 max-sm:flex-col max-sm:items-stretch">
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
          {props.createForInstance && (
            <Field label="Works for">
              {(control) => (
                <Select {...control} name="reach">
                  <option value="organization">this organization</option>
                  <option value="instance">every organization</option>
                </Select>
              )}
            </Field>
          )}
          {props.isSimple && submitButton}
        </div>
        {!props.isSimple && (
          <fieldset>
            <legend className="font-medium">It may</legend>
            <div className="mt-1 grid grid-cols-2 max-sm:grid-cols-1">
              {Object.entries(PERMISSIONS).map(([name, label]) => (
                <label key={name} className="flex min-h-7 items-center gap-2 max-sm:min-h-11">
                  <input
                    type="checkbox"
                    name="permissions"
                    value={name}
                    defaultChecked={name === "events:write"}
                    className="accent-(--accent)"
                  />
                  {label}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        {!props.isSimple && <div className="flex max-sm:flex-col">{submitButton}</div>}
      </form>
      {created && <NewKey value={created} />}
    </div>
  );
}
