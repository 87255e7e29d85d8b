"use client";

import { type FormEvent, useState } from "react";
import { FormError } from "@/components/account/form-error";
import { useSubmit } from "@/components/account/use-submit";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { ShownLink } from "./shown-link";

interface Made {
  /** Null: it goes by mail alone. */
  link: string | null;
}

interface Props {
  organizationId: string;
  /** Whether there is a mail server. */
  mails: boolean;
  make(
    organizationId: string,
    input: { intent: string | null; mailTo: string | null },
  ): Promise<ActionResult<Made>>;
}

/** Makes a link, and shows it once or has it mailed. */
export function NewPortalLink(props: Props) {
  const [intent, setIntent] = useState("");
  const [mailTo, setMailTo] = useState("");
  const [made, setMade] = useState<(Made & { mailTo: string }) | null>(null);
  const { errors, isPending, submit } = useSubmit();
  const address = mailTo.trim();

  const make = (event: FormEvent) => {
    event.preventDefault();
    setMade(null);
    submit(
      () => props.make(props.organizationId, { intent: intent || null, mailTo: address || null }),
      (data) => {
        setMade({ ...data, mailTo: address });
        setMailTo("");
      },
    );
  };

  return (
    <div className="mt-5 grid max-w-[560px] gap-3">
      <form onSubmit={make} className="flex items-start gap-2 max-sm:flex-col max-sm:items-stretch">
        <Field label="It opens" error={errors.intent}>
          {(control) => (
            <Select {...control} value={intent} onChange={({ target }) => setIntent(target.value)}>
              <option value="">Events and streams</option>
              <option value="audit_logs">Events</option>
              <option value="log_streams">Streams</option>
            </Select>
          )}
        </Field>
        {props.mails && (
          <div className="min-w-0 flex-1">
            <Field label="Mail it to (optional)" error={errors.mailTo}>
              {(control) => (
                <Input
                  {...control}
                  type="email"
                  maxLength={254}
                  placeholder="it@customer.example"
                  value={mailTo}
                  onChange={({ target }) => setMailTo(target.value)}
                />
              )}
            </Field>
          </div>
        )}
        <Button type="submit" variant="primary" disabled={isPending} className="sm:mt-6 sm:h-8">
          {address ? "Mail a link" : "Make a link"}
        </Button>
      </form>
      <FormError message={errors.form} />
      {made && (
        <ShownLink link={made.link}>
          {made.link === null
            ? `A link goes to ${made.mailTo}: it opens once, within seven days.`
            : "Hand this link on: it opens once, within seven days, and cannot be shown again. Whoever has it needs nothing else."}
        </ShownLink>
      )}
    </div>
  );
}
