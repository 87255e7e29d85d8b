import type { ReactNode } from "react";
import { formatMoment } from "@/components/integrity/words";
import type { Trial } from "@/lib/schemas/schema";
import { eventHref } from "./links";
import { trialSentence, versionSentence } from "./words";

export type TrialState =
  | { kind: "waiting"; message: string }
  | { kind: "failed"; message: string }
  | { kind: "done"; trial: Trial };

/** How recent events fare with what is in the form. */
export function TrialReport(props: {
  organizationId: string;
  state: TrialState;
  isChecking: boolean;
  /** What to do about it, before the events one by one. */
  children: ReactNode;
}) {
  const { state } = props;
  const isBad = state.kind === "done" && state.trial.rejected > 0;
  return (
    <section aria-label="Recent events" className="min-w-0" data-testid="trial">
      <h2 className="text-[14px] font-semibold tracking-[-0.012em]">
        Recent events{" "}
        <span className="text-[12px] font-normal text-(--text-3)">
          {props.isChecking ? "checking…" : "of this organization"}
        </span>
      </h2>
      <p
        role={state.kind === "failed" ? "alert" : "status"}
        className={`mt-1 ${state.kind === "failed" || isBad ? "text-(--in-fetch)" : "text-(--text-2)"}`}
      >
        {state.kind === "done" ? trialSentence(state.trial) : state.message}
      </p>
      {state.kind === "done" && (
        <p className="mt-1 text-[12px] text-(--text-3)">{versionSentence(state.trial.version)}</p>
      )}
      <div className="mt-4 grid gap-3">{props.children}</div>
      {state.kind === "done" && state.trial.examples.length > 0 && (
        <Examples organizationId={props.organizationId} trial={state.trial} />
      )}
    </section>
  );
}

function Examples({ organizationId, trial }: { organizationId: string; trial: Trial }) {
  const { examples, rejected } = trial;
  return (
    <>
      <h3 className="mt-5 mb-1.5 text-[12px] text-(--text-2)">Rejected, newest first</h3>
      <ul className="border-t border-(--border)">
        {examples.map(({ id, occurredAt, findings }) => (
          <li key={id} className="border-b border-(--border) py-2">
            <a
              href={eventHref(organizationId, id)}
              target="_blank"
              rel="noopener"
              className="text-[12px] tabular-nums underline decoration-(--border-control) underline-offset-[3px]"
            >
              {formatMoment(occurredAt)}
              <span className="sr-only"> (opens beside this form)</span>
            </a>
            {findings.map(({ pointer, message }) => (
              <p key={`${pointer} ${message}`} className="text-[12px] break-words">
                <code className="font-mono break-all">{pointer}</code> {message}
              </p>
            ))}
          </li>
        ))}
      </ul>
      {rejected > examples.length && (
        <p className="mt-2 text-[12px] text-(--text-3)">
          The newest {examples.length} of them are shown.
        </p>
      )}
    </>
  );
}
