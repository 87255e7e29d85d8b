import { useState, useTransition } from "react";
import type { ActionResult } from "@/lib/http/action-result";

/** One action at a time, and what was refused: in words, and by field. */
export function useWork() {
  const [problem, setProblem] = useState<string | null>(null);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [isBusy, startTransition] = useTransition();

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
  return { run, problem, errors, isBusy };
}
