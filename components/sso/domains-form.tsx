"use client";

import type { FormEvent } from "react";
import { useSubmit } from "@/components/account/use-submit";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";

/** For administrators of the instance: whose addresses a provider speaks for. */
export function DomainsForm(props: {
  organizationId: string;
  id: string;
  domains: string[];
  save(
    organizationId: string,
    input: { id: string; domains: string[] },
  ): Promise<ActionResult<null>>;
}) {
  const { errors, isPending, submit } = useSubmit();
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get("domains"));
    const domains = text.split(/[\s,]+/).filter((domain) => domain !== "");
    submit(
      () => props.save(props.organizationId, { id: props.id, domains }),
      () => undefined,
    );
  };
  return (
    <form
      onSubmit={save}
      className="mt-3 flex items-start gap-2 max-sm:flex-col max-sm:items-stretch"
    >
      <div className="min-w-0 flex-1">
        <Field
          label="Domains"
          hint="It opens every account with an address there, in whatever organization: enter only what is this organization’s."
          error={Object.values(errors)[0]}
        >
          {(control) => (
            <Input
              {...control}
              name="domains"
              defaultValue={props.domains.join(", ")}
              placeholder="example.com, example.org"
            />
          )}
        </Field>
      </div>
      <Button type="submit" disabled={isPending} className="sm:mt-6 sm:h-8">
        Save domains
      </Button>
    </form>
  );
}
