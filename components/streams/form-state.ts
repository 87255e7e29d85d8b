import { useState, useTransition } from "react";
import type { ActionResult } from "@/lib/http/action-result";
import type { Draft } from "./draft";

/** Draft, errors by field, and one action at a time. */
export function useDraft(initial: Draft) {
  const [draft, setDraft] = useState(initial);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, startTransition] = useTransition();

  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));

  /** Runs an action; shows its refusal beside the fields it names. */
  function run<T>(action: () => Promise<ActionResult<T>>, done: (data: T) => void): void {
    startTransition(async () => {
      setProblem(null);
      setErrors({});
      try {
        const result = await action();
        if (result.ok) return done(result.data);
        setErrors(Object.fromEntries(result.errors.map(({ field, code }) => [field, code])));
        setProblem(result.errors.length > 0 ? "Some fields need a change." : result.message);
      } catch {
        setProblem("The server did not answer. What you entered is still here.");
      }
    });
  }

  return { draft, change, setDraft, errors, problem, isBusy, run };
}
