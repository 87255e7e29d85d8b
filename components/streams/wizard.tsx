"use client";

import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import type { FieldError } from "@/lib/errors";
import type { ActionResult } from "@/lib/http/action-result";
import type { DestinationForm } from "@/lib/streams/registry";
import type { FormatPreview, SavedStream, TestResult } from "@/lib/streams/schema";
import type { RangeEstimate } from "@/lib/streams/work-schema";
import { createInputOf, emptyDraft, testInputOf } from "./draft";
import { Choices } from "./field";
import { SecretsOnce } from "./secret-once";
import { StepCredentials } from "./step-credentials";
import { useWizard } from "./use-wizard";
import { WizardRail } from "./wizard-rail";
import { STEPS, type StepId } from "./wizard-steps";

// Later steps come while the earlier ones are filled in.
const loading = () => <div className="h-40 animate-pulse rounded-[5px] bg-(--sunken)" />;
const StepFormat = dynamic(() => import("./step-format").then((step) => step.StepFormat), {
  loading,
});
const StepTest = dynamic(() => import("./step-test").then((step) => step.StepTest), { loading });
const StepStart = dynamic(() => import("./step-start").then((step) => step.StepStart), {
  loading,
});

type Action<T> = (organizationId: string, input: unknown) => Promise<ActionResult<T>>;

export interface WizardActions {
  check: Action<FieldError[]>;
  preview: Action<FormatPreview>;
  test: Action<TestResult>;
  estimate: Action<RangeEstimate>;
  create: Action<SavedStream>;
}

const TESTS_KEPT = 6;

/** A new stream in five steps: the address names the step, the draft outlives a reload, secrets do not. */
export function StreamWizard(props: {
  organizationId: string;
  /** Never empty. */
  forms: DestinationForm[];
  actions: WizardActions;
}) {
  const { organizationId, forms, actions } = props;
  const router = useRouter();
  const wizard = useWizard(organizationId, forms);
  const { draft, step, errors, problem, isBusy, go, run, refuse } = wizard;
  const [tests, setTests] = useState<{ input: string; result: TestResult }[]>([]);
  const [isConfirmed, setConfirmed] = useState(false);
  const [isUnconfirmed, setUnconfirmed] = useState(false);
  const [saved, setSaved] = useState<SavedStream | null>(null);
  const page = useStepFocus(step, wizard.isRestored, wizard.refusals);
  const list = `/o/${organizationId}/integrity/streams`;

  if (saved)
    return <Saved saved={saved} onOpen={() => router.push(`${list}/${saved.stream.id}`)} />;

  const form = forms.find(({ id }) => id === draft.destination);
  const input = form ? testInputOf(draft, form) : {};
  const [newest] = tests;
  const isStale = newest !== undefined && newest.input !== JSON.stringify(input);
  const isPassed = newest?.result.ok === true && !isStale;
  const testWords = isStale
    ? "Changed since the last test"
    : newest
      ? newest.result.ok
        ? `Taken in ${newest.result.latencyMs} ms`
        : "Not taken"
      : "None was sent";

  const sendTest = () =>
    run(
      () => actions.test(organizationId, input),
      (result) =>
        setTests([{ input: JSON.stringify(input), result }, ...tests].slice(0, TESTS_KEPT)),
    );
  const save = (chosen: DestinationForm) =>
    run(
      () => actions.create(organizationId, createInputOf(draft, chosen)),
      (created) => {
        wizard.forget();
        if (Object.keys(created.generatedSecrets).length > 0) setSaved(created);
        else router.push(`${list}/${created.stream.id}`);
      },
    );
  const goOn = async () => {
    if (!form) return refuse([{ field: "destination", code: "Choose a destination." }]);
    switch (step) {
      case "destination":
        return go("credentials");
      case "credentials":
        if (draft.name.trim() === "") return refuse([{ field: "name", code: "Enter a name." }]);
        return run(
          () => actions.check(organizationId, input),
          (found) => (found.length > 0 ? refuse(found) : go("format")),
        );
      case "format": {
        const { isFilter } = await import("./filter-field");
        if (isFilter(draft.filter)) return go("test");
        return refuse([{ field: "filter", code: "This filter cannot be read." }]);
      }
      case "test":
        return isPassed ? go("start") : sendTest();
      case "start":
        if (isPassed || isConfirmed) return save(form);
        setUnconfirmed(true);
        return refuse([{ field: "from", code: "" }]);
    }
  };
  const place = STEPS.findIndex(({ id }) => id === step);
  return (
    <div className="flex min-h-0 flex-1 overflow-auto max-md:block">
      <WizardRail
        place={place}
        furthest={wizard.furthest}
        onGo={go}
        notes={{
          destination: form?.label ?? "Where events go",
          credentials: draft.name || "Address and secrets",
          format: draft.filter || "What is sent, and which events",
          test: newest ? testWords : "Sends one labelled event",
          start: "From now on, or from before",
        }}
      />
      <form
        ref={page}
        noValidate
        aria-label="New stream"
        className="grid min-w-0 flex-1 content-start gap-5 px-8 pt-6 pb-8 max-md:p-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void goOn();
        }}
      >
        <h1
          tabIndex={-1}
          className="text-[22px] leading-7 font-semibold tracking-[-0.02em] focus-visible:shadow-none"
        >
          {TITLES[step](form?.label ?? "")}
        </h1>
        {wizard.lostSecrets && step !== "destination" && (
          <p
            role="status"
            className="max-w-[680px] rounded-[5px] bg-(--in-fetch-tint) p-3 text-(--in-fetch)"
          >
            Secrets are not kept when a page is reloaded. Enter them again
            {step === "credentials" ? "." : " in step 2."}
          </p>
        )}
        {!wizard.isRestored && loading()}
        {wizard.isRestored && step === "destination" && (
          <Choices
            legend="Destination"
            name="destination"
            columns="grid-cols-[repeat(auto-fill,minmax(264px,1fr))]"
            value={draft.destination}
            options={forms}
            error={errors.destination}
            onChange={(id) => {
              const chosen = forms.find((other) => other.id === id);
              if (chosen) wizard.begin(emptyDraft(chosen, draft));
              setTests([]);
            }}
          />
        )}
        {form && step === "credentials" && (
          <StepCredentials
            wizard={wizard}
            form={form}
            check={(draftInput) => actions.check(organizationId, draftInput)}
          />
        )}
        {form && step === "format" && (
          <StepFormat
            wizard={wizard}
            form={form}
            preview={(previewed) => actions.preview(organizationId, previewed)}
          />
        )}
        {form && step === "test" && (
          <StepTest
            results={tests.map(({ result }) => result)}
            isPassed={isPassed}
            isStale={isStale}
            isBusy={isBusy}
            onSend={sendTest}
            onChangeCredentials={() => go("credentials")}
            onContinue={() => go("start")}
          />
        )}
        {form && step === "start" && (
          <StepStart
            wizard={wizard}
            form={form}
            testWords={testWords}
            confirmation={
              isPassed
                ? null
                : { isGiven: isConfirmed, isRefused: isUnconfirmed, give: setConfirmed }
            }
            estimate={(range) => actions.estimate(organizationId, range)}
          />
        )}
        {problem && (
          <p role="alert" className="max-w-[680px] text-(--in-failed)">
            {problem}
          </p>
        )}
        {wizard.isRestored && (
          <div className="flex gap-2">
            {step !== "test" && (
              <Button type="submit" variant="primary" disabled={isBusy}>
                {step === "start" ? (isBusy ? "Saving…" : "Start delivery") : "Continue"}
              </Button>
            )}
            {place > 0 && (
              <Button
                variant="quiet"
                onClick={() => go((STEPS[place - 1] ?? STEPS[0]).id)}
                disabled={isBusy}
              >
                Back
              </Button>
            )}
          </div>
        )}
      </form>
    </div>
  );
}

const TITLES: Record<StepId, (destination: string) => string> = {
  destination: () => "Where should events go?",
  credentials: (destination) => `Connect to ${destination}`,
  format: () => "What is sent?",
  test: (destination) => `Does ${destination} take it?`,
  start: () => "Where does delivery begin?",
};

/** After a step the heading has the focus, after a refusal what was refused. */
function useStepFocus(step: StepId, isRestored: boolean, refusals: number) {
  const page = useRef<HTMLFormElement>(null);
  const shown = useRef<{ step: StepId; refusals: number } | null>(null);
  useEffect(() => {
    if (!isRestored) return;
    const before = shown.current;
    shown.current = { step, refusals };
    if (!before) return;
    const wrong =
      before.refusals === refusals
        ? null
        : page.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    if (wrong) return wrong.focus();
    if (before.step !== step) page.current?.querySelector<HTMLElement>("h1")?.focus();
    // What was refused stands in another step, which the address will name in a moment.
    else shown.current.refusals = before.refusals;
  }, [step, isRestored, refusals]);
  return page;
}

function Saved({ saved, onOpen }: { saved: SavedStream; onOpen(): void }) {
  return (
    <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
      <div className="max-w-[680px]">
        <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
          The stream delivers
        </h1>
        <p className="mt-1 mb-5 text-(--text-2)">
          Each request is signed. The receiver checks the signature with this secret.
        </p>
        <SecretsOnce secrets={saved.generatedSecrets} />
        <Button variant="primary" className="mt-5" onClick={onOpen}>
          Open the stream
        </Button>
      </div>
    </div>
  );
}
