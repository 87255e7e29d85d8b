"use client";

import { useRef } from "react";
import type { FieldError } from "@/lib/errors";
import type { ActionResult } from "@/lib/http/action-result";
import type { DestinationForm } from "@/lib/streams/registry";
import { testInputOf } from "./draft";
import { DraftFields } from "./draft-fields";
import type { Wizard } from "./use-wizard";

/** Name, address and secrets; what is left behind is checked at once. */
export function StepCredentials(props: {
  wizard: Wizard;
  form: DestinationForm;
  check(input: object): Promise<ActionResult<FieldError[]>>;
}) {
  const { wizard, form } = props;
  const touched = useRef(new Set<string>());
  const asked = useRef(0);

  /** Only what somebody has left: nobody is told that an empty form is incomplete. */
  const checkTouched = async () => {
    asked.current += 1;
    const mine = asked.current;
    const result = await props.check(testInputOf(wizard.draft, form)).catch(() => null);
    if (!result?.ok || mine !== asked.current) return;
    const wrong = result.data.filter(({ field }) => touched.current.has(field));
    wizard.setErrors(Object.fromEntries(wrong.map(({ field, code }) => [field, code])));
  };
  return (
    <fieldset
      aria-label="Credentials"
      className="max-w-[680px] min-w-0"
      onBlur={({ target }) => {
        const { name, value } = target as Element as HTMLInputElement;
        if (!name || name === "name" || value === "") return;
        touched.current.add(name);
        void checkTouched();
      }}
    >
      <DraftFields
        draft={wizard.draft}
        form={form}
        errors={wizard.errors}
        stored={{}}
        onChange={wizard.change}
      />
    </fieldset>
  );
}
