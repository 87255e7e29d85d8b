"use client";

import { FormError } from "@/components/account/form-error";
import { useSubmit } from "@/components/account/use-submit";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";

/** Whether members come in through a provider only. */
export function Requirement(props: {
  organizationId: string;
  isRequired: boolean;
  /** Somebody came in through a provider that is on. */
  isProven: boolean;
  /** Null: not for who reads it. */
  change: ((organizationId: string, isRequired: boolean) => Promise<ActionResult<null>>) | null;
}) {
  const { errors, isPending, submit } = useSubmit();
  const { change, isRequired } = props;
  return (
    <div className="mt-5 grid max-w-[640px] gap-2">
      <div className="flex items-center gap-3 max-sm:flex-col max-sm:items-stretch">
        <p className="min-w-0 flex-1">
          <span className="font-medium">
            {isRequired ? "Single sign-on is required." : "Single sign-on is not required."}
          </span>{" "}
          <span className="text-(--text-2)">
            {isRequired
              ? "A password opens this organization only to administrators of the instance."
              : props.isProven
                ? "Members come in with a password as well."
                : "It can be, once somebody came in through a provider."}
          </span>
        </p>
        {change && (isRequired || props.isProven) && (
          <Button
            variant={isRequired ? "danger" : "secondary"}
            disabled={isPending}
            onClick={() =>
              submit(
                () => change(props.organizationId, !isRequired),
                () => undefined,
              )
            }
          >
            {isRequired ? "Stop requiring it" : "Require single sign-on"}
          </Button>
        )}
      </div>
      <FormError message={errors.form} />
    </div>
  );
}
