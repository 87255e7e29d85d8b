"use client";

import { type FormEvent, useRef, useState } from "react";
import { FormError } from "@/components/account/form-error";
import { useSubmit } from "@/components/account/use-submit";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Select } from "@/components/ui/field";
import { ROLE_LABEL, type Role, roles } from "@/lib/auth/roles";
import type { ActionResult } from "@/lib/http/action-result";
import type { IssuerReport, Provider, ProviderChange } from "@/lib/sso/schema";
import { GroupRows, rowsOf } from "./group-rows";

interface Props {
  organizationId: string;
  provider: Provider;
  change(organizationId: string, input: ProviderChange): Promise<ActionResult<null>>;
  check(organizationId: string, issuer: string): Promise<ActionResult<IssuerReport>>;
  remove(organizationId: string, id: string): Promise<ActionResult<null>>;
}

/** What an owner enters of a provider. */
export function ProviderForm({ organizationId, provider, ...props }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const { errors, isPending, submit } = useSubmit();
  const [report, setReport] = useState<IssuerReport | null>(null);
  const [isSaved, setSaved] = useState(false);
  const [isAsked, setAsked] = useState(false);

  const text = (name: string) => String(new FormData(form.current ?? undefined).get(name) ?? "");
  const save = (event: FormEvent) => {
    event.preventDefault();
    setSaved(false);
    const data = new FormData(form.current ?? undefined);
    const input = {
      id: provider.id,
      name: text("name"),
      issuer: text("issuer"),
      clientId: text("clientId"),
      clientSecret: text("clientSecret"),
      scopes: text("scopes"),
      groupsClaim: text("groupsClaim"),
      groupRoles: rowsOf(data),
      defaultRole: (text("defaultRole") || null) as Role | null,
      isEnabled: data.get("isEnabled") === "on",
    };
    submit(
      () => props.change(organizationId, input),
      () => {
        setSaved(true);
        const secret = form.current?.elements.namedItem("clientSecret") as HTMLInputElement | null;
        if (secret) secret.value = "";
      },
    );
  };
  const test = () => submit(() => props.check(organizationId, text("issuer")), setReport);
  const rowError = Object.entries(errors).find(([field]) => field.startsWith("groupRoles"))?.[1];

  return (
    <form ref={form} onSubmit={save} onChange={() => setSaved(false)} className="mt-4 grid gap-3.5">
      <Field label="Name" error={errors.name}>
        {(control) => (
          <Input {...control} name="name" required maxLength={100} defaultValue={provider.name} />
        )}
      </Field>
      <div className="flex items-start gap-2 max-sm:flex-col max-sm:items-stretch">
        <div className="min-w-0 flex-1">
          <Field
            label="Issuer"
            error={errors.issuer}
            hint="As the provider spells it, without /.well-known."
          >
            {(control) => (
              <Input
                {...control}
                name="issuer"
                type="url"
                required
                defaultValue={provider.issuer}
                placeholder="https://example.okta.com"
                onChange={() => setReport(null)}
              />
            )}
          </Field>
        </div>
        <Button disabled={isPending} onClick={test} className="sm:mt-6 sm:h-8">
          Test
        </Button>
      </div>
      {report && (
        <p role="status" className={report.ok ? "text-(--text-2)" : "text-(--in-failed)"}>
          {report.words}
        </p>
      )}
      <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
        <Field label="Client ID" error={errors.clientId}>
          {(control) => (
            <Input
              {...control}
              name="clientId"
              required
              autoComplete="off"
              defaultValue={provider.clientId}
            />
          )}
        </Field>
        <Field
          label="Client secret"
          error={errors.clientSecret}
          hint={provider.hasSecret ? "One is stored. Enter another to replace it." : undefined}
        >
          {(control) => (
            <Input
              {...control}
              name="clientSecret"
              type="password"
              autoComplete="off"
              required={!provider.hasSecret}
            />
          )}
        </Field>
        <Field label="Scopes" error={errors.scopes}>
          {(control) => (
            <Input {...control} name="scopes" required defaultValue={provider.scopes} />
          )}
        </Field>
        <Field label="Groups claim" error={errors.groupsClaim}>
          {(control) => (
            <Input {...control} name="groupsClaim" required defaultValue={provider.groupsClaim} />
          )}
        </Field>
      </div>
      <GroupRows rows={provider.groupRoles} error={rowError} />
      <Field
        label="Role without such a group"
        error={errors.defaultRole}
        hint="Without any group above, members keep the role that they have."
      >
        {(control) => (
          <Select {...control} name="defaultRole" defaultValue={provider.defaultRole ?? ""}>
            <option value="">None: only members come in</option>
            {roles.map((role) => (
              <option key={role} value={role}>
                {ROLE_LABEL[role]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <label className="flex min-h-7 items-center gap-2 max-sm:min-h-11">
        <input
          type="checkbox"
          name="isEnabled"
          defaultChecked={provider.isEnabled}
          className="accent-(--accent)"
        />
        People sign in through it
      </label>
      <FormError message={errors.form} />
      <div className="flex items-center gap-3">
        <Button type="submit" variant="primary" disabled={isPending} className="sm:h-8">
          Save
        </Button>
        <Button variant="danger" disabled={isPending} onClick={() => setAsked(true)}>
          Delete
        </Button>
        {isSaved && <span role="status">Saved.</span>}
      </div>
      {isAsked && (
        <Dialog
          open
          onOpenChange={(open) => !open && setAsked(false)}
          title={`Delete ${provider.name}?`}
          description="Sessions through it end, and its domains are free again. Members stay members."
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsked(false)}>Keep it</Button>
            <Button
              variant="danger"
              disabled={isPending}
              onClick={() => {
                setAsked(false);
                submit(
                  () => props.remove(organizationId, provider.id),
                  () => undefined,
                );
              }}
            >
              Delete
            </Button>
          </div>
        </Dialog>
      )}
    </form>
  );
}
