import { useSearchParams } from "next/navigation";
import { useEffect, useState, useTransition } from "react";
import type { FieldError } from "@/lib/errors";
import type { ActionResult } from "@/lib/http/action-result";
import type { DestinationForm } from "@/lib/streams/registry";
import { BLANK, type Draft, hasSecrets, type KeptDraft, keepDraft, keptDraft } from "./draft";
import { placeOf, STEPS, type StepId, stepOfField } from "./wizard-steps";

const NOTHING: KeptDraft = { draft: BLANK, furthest: 0, hadSecrets: false };

/** The draft of a new stream, kept across reloads, and the step that the address names. */
export function useWizard(organizationId: string, forms: DestinationForm[]) {
  const [{ draft, furthest, hadSecrets }, setKept] = useState(NOTHING);
  const [isRestored, setRestored] = useState(false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string | null>(null);
  /** Counts refusals: each brings the focus to what was refused. */
  const [refusals, setRefusals] = useState(0);
  const [isBusy, startTransition] = useTransition();
  const asked = placeOf(useSearchParams().get("step"));
  const place = Math.max(0, Math.min(asked, furthest));

  useEffect(() => {
    setKept(keptDraft(organizationId, forms) ?? NOTHING);
    setRestored(true);
  }, [organizationId, forms]);

  useEffect(() => {
    if (!isRestored || draft.destination === "") return;
    keepDraft(organizationId, { draft, furthest, hadSecrets: hadSecrets || hasSecrets(draft) });
  }, [organizationId, isRestored, draft, furthest, hadSecrets]);

  // A step that cannot be shown yet is not in the address either.
  useEffect(() => {
    if (isRestored && asked > place) history.replaceState(null, "", `?step=${STEPS[place]?.id}`);
  }, [isRestored, asked, place]);

  const go = (step: StepId) => {
    setKept((before) => ({ ...before, furthest: Math.max(before.furthest, placeOf(step)) }));
    setProblem(null);
    history.pushState(null, "", `?step=${step}`);
  };

  /** Shows what is wrong where it is entered, which may be an earlier step. */
  const refuse = (found: FieldError[], message = "") => {
    setErrors(Object.fromEntries(found.map(({ field, code }) => [field, code])));
    const [first] = found;
    const step = first && stepOfField(first.field);
    if (step && step !== STEPS[place]?.id) go(step);
    setProblem(first ? null : message);
    setRefusals((count) => count + 1);
  };

  /** Runs an action; `done` gets what it answered. */
  function run<T>(action: () => Promise<ActionResult<T>>, done: (data: T) => void): void {
    startTransition(async () => {
      setProblem(null);
      setErrors({});
      try {
        const result = await action();
        if (result.ok) done(result.data);
        else refuse(result.errors, result.message);
      } catch {
        setProblem("The server did not answer. What you entered is still here.");
      }
    });
  }

  return {
    ...{ draft, furthest, place, isRestored, errors, setErrors, problem, refusals, isBusy },
    step: (STEPS[place] ?? STEPS[0]).id,
    /** Entered before the page was reloaded, and not again. */
    lostSecrets: hadSecrets && !hasSecrets(draft),
    ...{ go, refuse, run },
    change: (part: Partial<Draft>) => {
      setKept((before) => ({ ...before, draft: { ...before.draft, ...part } }));
    },
    /** Another destination: what follows has to be gone through again. */
    begin: (fresh: Draft) => {
      setKept({ draft: fresh, furthest: 0, hadSecrets: false });
      setErrors({});
    },
    forget: () => keepDraft(organizationId, null),
  };
}

export type Wizard = ReturnType<typeof useWizard>;
