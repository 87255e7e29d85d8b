"use client";

import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, useTransition } from "react";
import { useDebounced } from "@/components/events/use-debounced";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { Field, Input, TextArea } from "@/components/ui/field";
import type { FieldError } from "@/lib/errors";
import type { ActionResult } from "@/lib/http/action-result";
import type { Trial } from "@/lib/schemas/schema";
import { type Draft, errorAt, inputOf } from "./draft";
import { actionHref, schemasHref } from "./links";
import { TrialReport, type TrialState } from "./trial-report";

const DEBOUNCE_MS = 400;
const WHOLE = ["schema", "schema.targets", "action"];
const EXAMPLE = '{ "type": "object", "properties": { "total": { "type": "number" } } }';
const NO_ANSWER = "The server did not answer. What you entered is still here.";

interface Props {
  organizationId: string;
  initial: Draft;
  /** The number that the version gets; null while the action may still be named. */
  version: number | null;
  check(organizationId: string, input: unknown): Promise<ActionResult<Trial>>;
  create(organizationId: string, input: unknown): Promise<ActionResult<{ version: number }>>;
}

/** A version in the making, held against recent events while it is written. */
export function SchemaForm({ organizationId, initial, version, check, create }: Props) {
  const router = useRouter();
  const [typed, setDraft] = useState(initial);
  // Around a name that is typed, spaces are slips; one that was seen may have them.
  const draft = version === null ? { ...typed, action: typed.action.trim() } : typed;
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, startTransition] = useTransition();
  const trial = useTrial(organizationId, draft, check);
  // A name that may be changed has its problem at its field.
  const wrong = version === null && trial.whole?.field === "action" ? null : trial.whole;
  const whole = wrong && `The ${wrong.field === "action" ? "action" : "schema"} ${wrong.code}.`;
  const at = (field: string) => errorAt(trial.errors, field);
  const change = (part: Partial<Draft>) => {
    setProblem(null);
    setDraft((before) => ({ ...before, ...part }));
  };
  const changeTarget = (key: number, part: object) =>
    change({
      targets: draft.targets.map((target) =>
        target.key === key ? { ...target, ...part } : target,
      ),
    });
  const addTarget = () => {
    const key = Math.max(-1, ...draft.targets.map((target) => target.key)) + 1;
    change({ targets: [...draft.targets, { key, type: "", metadata: "" }] });
  };

  const save = () =>
    startTransition(async () => {
      const { input, errors } = inputOf(draft);
      if (errors.length > 0) return setProblem("Some fields need a change.");
      try {
        const result = await create(organizationId, input);
        if (result.ok) return router.push(actionHref(organizationId, { name: draft.action }));
        setProblem(result.errors.length > 0 ? "Some fields need a change." : result.message);
      } catch {
        setProblem(NO_ANSWER);
      }
    });

  return (
    <form
      className="grid max-w-[1160px] grid-cols-[minmax(0,680px)_minmax(0,1fr)] gap-x-10 gap-y-6 max-lg:grid-cols-[minmax(0,1fr)]"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <div className="grid content-start gap-5">
        {version === null && (
          <Field
            label="Action"
            hint="As events name it."
            error={draft.action === "" ? null : at("action")}
          >
            {(control) => (
              <Input
                {...control}
                value={typed.action}
                required
                maxLength={255}
                autoComplete="off"
                spellCheck={false}
                placeholder="invoice.voided"
                className="font-mono sm:text-[12px]"
                onChange={(event) => change({ action: event.target.value })}
              />
            )}
          </Field>
        )}
        <fieldset className="grid gap-3">
          <legend className="font-medium">Targets</legend>
          <p className="text-[12px] text-(--text-3)">
            An event has to have a target of each of these types; it may have others.
          </p>
          {draft.targets.map((target, index) => (
            <div key={target.key} className="grid gap-2 border-l-2 border-(--border) pl-3">
              <div className="flex items-end gap-2">
                <div className="min-w-0 flex-1">
                  <Field
                    label={`Type of target ${index + 1}`}
                    error={target.type === "" ? null : at(`schema.targets.${index}.type`)}
                  >
                    {(control) => (
                      <Input
                        {...control}
                        value={target.type}
                        required
                        maxLength={255}
                        autoComplete="off"
                        spellCheck={false}
                        placeholder="invoice"
                        className="font-mono sm:text-[12px]"
                        onChange={(event) => changeTarget(target.key, { type: event.target.value })}
                      />
                    )}
                  </Field>
                </div>
                <Button
                  variant="quiet"
                  aria-label={`Remove target ${index + 1}`}
                  disabled={draft.targets.length === 1}
                  className="h-8"
                  onClick={() =>
                    change({ targets: draft.targets.filter(({ key }) => key !== target.key) })
                  }
                >
                  Remove
                </Button>
              </div>
              <Json
                label={`Metadata of target ${index + 1}`}
                value={target.metadata}
                error={at(`schema.targets.${index}.metadata`)}
                onChange={(metadata) => changeTarget(target.key, { metadata })}
              />
            </div>
          ))}
          <Button className="justify-self-start" onClick={addTarget}>
            Add a target
          </Button>
        </fieldset>
        <Json
          label="Metadata of the actor"
          value={draft.actor}
          error={at("schema.actor.metadata")}
          onChange={(actor) => change({ actor })}
        />
        <Json
          label="Metadata of the event"
          value={draft.metadata}
          error={at("schema.metadata")}
          onChange={(metadata) => change({ metadata })}
        />
      </div>
      <div className="min-w-0 lg:sticky lg:top-0 lg:self-start">
        <TrialReport
          organizationId={organizationId}
          state={trial.state}
          isChecking={trial.isChecking}
        >
          {(problem || whole) && (
            <p role="alert" className="text-(--in-failed)">
              {problem ?? whole}
            </p>
          )}
          <div className="flex flex-wrap gap-2">
            <Button type="submit" variant="primary" disabled={isBusy}>
              {isBusy
                ? "Creating…"
                : `Create ${version === null ? "the schema" : `version ${version}`}`}
            </Button>
            <ButtonLink
              variant="quiet"
              href={
                initial.action === ""
                  ? schemasHref(organizationId)
                  : actionHref(organizationId, { name: initial.action })
              }
            >
              Cancel
            </ButtonLink>
          </div>
        </TrialReport>
      </div>
    </form>
  );
}

function Json(props: {
  label: string;
  value: string;
  error: string | null;
  onChange(value: string): void;
}) {
  return (
    <Field
      label={props.label}
      hint="JSON Schema; nothing is checked while this is empty."
      error={props.error}
    >
      {(control) => (
        <TextArea
          {...control}
          value={props.value}
          rows={Math.min(18, Math.max(3, props.value.split("\n").length))}
          spellCheck={false}
          autoComplete="off"
          placeholder={EXAMPLE}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** Asks the server how recent events fare with the draft, once typing stood still. */
function useTrial(organizationId: string, draft: Draft, check: Props["check"]) {
  const typed = JSON.stringify(draft);
  const settled = useDebounced(typed, DEBOUNCE_MS);
  const [state, setState] = useState<TrialState>({ kind: "waiting", message: "" });
  const [refused, setRefused] = useState<FieldError[]>([]);
  const [isChecking, setChecking] = useState(false);
  const latest = useRef(0);
  const stood = JSON.parse(settled) as Draft;
  const { input, errors } = inputOf(stood);
  const isComplete = stood.action !== "" && stood.targets.some(({ type }) => type !== "");

  // biome-ignore lint/correctness/useExhaustiveDependencies: the server is asked about what stood still.
  useEffect(() => {
    latest.current += 1;
    const number = latest.current;
    const show = (next: TrialState, problems: FieldError[]) => {
      if (number !== latest.current) return;
      setState(next);
      setRefused(problems);
      setChecking(false);
    };
    if (!isComplete) {
      const message = "Name an action and a target: recent events are then checked as you type.";
      return show({ kind: "waiting", message }, []);
    }
    if (errors.length > 0)
      return show({ kind: "waiting", message: "They are checked once every field is JSON." }, []);
    setChecking(true);
    check(organizationId, input).then(
      (result) => {
        if (result.ok) return show({ kind: "done", trial: result.data }, []);
        const isWrong = result.errors.length > 0;
        const message = isWrong ? "They are checked once the schema is sound." : result.message;
        show({ kind: isWrong ? "waiting" : "failed", message }, result.errors);
      },
      () => show({ kind: "failed", message: NO_ANSWER }, []),
    );
  }, [settled, organizationId]);

  const all = [...errors, ...refused];
  return {
    state,
    isChecking: isChecking || typed !== settled,
    errors: all,
    /** What is wrong with the schema as a whole, such as its size, or with a name that cannot be changed. */
    whole: all.find(({ field }) => WHOLE.includes(field)) ?? null,
  };
}
