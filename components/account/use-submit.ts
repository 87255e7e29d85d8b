import { useState, useTransition } from "react";
import type { ActionResult } from "@/lib/http/action-result";

/** Runs an action of the account; what went wrong by its field, `form` for what is about none. */
export function useSubmit() {
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [isPending, startTransition] = useTransition();

  const submit = <T>(work: () => Promise<ActionResult<T>>, done: (data: T) => void) =>
    startTransition(async () => {
      const result = await work().catch(() => null);
      if (result?.ok) {
        setErrors({});
        done(result.data);
      } else if (!result) setErrors({ form: "The server did not answer. Try again." });
      else if (result.errors.length === 0) setErrors({ form: result.message });
      else setErrors(Object.fromEntries(result.errors.map(({ field, code }) => [field, code])));
    });

  return { errors, isPending, submit, forget: () => setErrors({}) };
}
