"use client";

import type { ReactNode } from "react";
import type { ActionResult } from "@/lib/http/action-result";
import type { DestinationForm } from "@/lib/streams/registry";
import type { RangeEstimate } from "@/lib/streams/work-schema";
import { startTimeOf } from "./draft";
import { Choices, TextField } from "./field";
import { useEstimate } from "./use-estimate";
import type { Wizard } from "./use-wizard";
import { STEPS, type StepId } from "./wizard-steps";

/** Before every event that a log may hold. */
const BEGINNING = "1970-01-01T00:00:00.000Z";

interface Props {
  wizard: Wizard;
  form: DestinationForm;
  /** What the test send said. */
  testWords: string;
  /** Null when a test event was taken; else whether somebody said that they start without. */
  confirmation: { isGiven: boolean; isRefused: boolean; give(isGiven: boolean): void } | null;
  estimate(input: object): Promise<ActionResult<RangeEstimate>>;
}

/** Where delivery begins, how much that is, and everything that was entered once more. */
export function StepStart({ wizard, form, testWords, confirmation, estimate }: Props) {
  const { draft, change, errors } = wizard;
  const { filter } = draft;
  const everything = useEstimate({ fromTime: BEGINNING, filter }, estimate);
  const time = draft.from === "time" ? startTimeOf(draft) : null;
  const sinceTime = useEstimate(time ? { fromTime: time, filter } : null, estimate);
  const format = form.formats.find(({ id }) => id === draft.format);
  return (
    <div className="grid max-w-[680px] gap-5">
      <div className="grid gap-3">
        <Choices
          legend="Begin with"
          name="from"
          columns="grid-cols-3"
          value={draft.from}
          options={[
            { id: "now", label: "What comes from now on", about: "Nothing recorded before." },
            { id: "start", label: "Everything", about: `${everything} Then live.` },
            { id: "time", label: "A point in time", about: "What was received since then." },
          ]}
          onChange={(from) => change({ from })}
        />
        {draft.from === "time" && (
          <div className="max-w-[280px]">
            <TextField
              label="Received since (UTC)"
              name="fromTime"
              type="datetime-local"
              value={draft.fromTime}
              error={errors.from}
              hint={time && sinceTime}
              onChange={(event) => change({ fromTime: event.target.value })}
            />
          </div>
        )}
      </div>
      <section aria-labelledby="review">
        <h2 id="review" className="text-[14px] font-semibold tracking-[-0.012em]">
          Review
        </h2>
        <dl className="mt-1">
          <Line term="Destination" step="destination" wizard={wizard}>
            {form.label}
          </Line>
          <Line term="Name" step="credentials" wizard={wizard}>
            {draft.name}
          </Line>
          <Line term="Format" step="format" wizard={wizard}>
            {format?.label}
          </Line>
          <Line term="Filter" step="format" wizard={wizard}>
            {draft.filter.trim() ? (
              <code className="font-mono text-[12px]">{draft.filter}</code>
            ) : (
              "Every event"
            )}
          </Line>
          <Line term="Test send" step="test" wizard={wizard}>
            {testWords}
          </Line>
        </dl>
        <p className="mt-2 text-[12px] text-(--text-3)">
          The newest checkpoint goes along, and is repeated every {draft.heartbeatMinutes} minutes
          when there is nothing else to say. An alert is sent when an event waits longer than{" "}
          {draft.lagAlertMinutes} minutes. Both can be changed later.
        </p>
      </section>
      {confirmation && (
        <div className="rounded-[5px] border border-(--in-fetch-line) bg-(--in-fetch-tint) p-3">
          <label className="flex items-start gap-2.5">
            <input
              type="checkbox"
              name="confirmation"
              checked={confirmation.isGiven}
              aria-invalid={confirmation.isRefused || undefined}
              aria-describedby="confirmation-note"
              onChange={(event) => confirmation.give(event.target.checked)}
              className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            />
            <span className="font-medium">Start although no test event was taken</span>
          </label>
          <p
            id="confirmation-note"
            role={confirmation.isRefused ? "alert" : undefined}
            className={`mt-1 pl-6.5 text-[12px] ${confirmation.isRefused ? "text-(--in-failed)" : "text-(--text-2)"}`}
          >
            {confirmation.isRefused
              ? "Tick this, or send a test event that is taken."
              : "The stream may fail at once. Nothing is lost: events wait until it works."}
          </p>
        </div>
      )}
    </div>
  );
}

function Line(props: { term: string; step: StepId; wizard: Wizard; children: ReactNode }) {
  const { term, step } = props;
  return (
    <div className="grid grid-cols-[112px_minmax(0,1fr)_auto] items-baseline gap-x-3 border-b border-(--border) py-1.5">
      <dt className="text-[12px] text-(--text-3)">{term}</dt>
      <dd className="min-w-0 break-words">{props.children}</dd>
      <dd>
        <button
          type="button"
          aria-label={`Change ${term.toLowerCase()}, step ${STEPS.findIndex(({ id }) => id === step) + 1}`}
          onClick={() => props.wizard.go(step)}
          className="text-[12px] text-(--text-2) underline decoration-(--border-control) underline-offset-[3px] hover:text-(--text) max-sm:min-h-11"
        >
          Change
        </button>
      </dd>
    </div>
  );
}
