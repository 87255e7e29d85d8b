import { Check } from "lucide-react";
import { STEPS, type StepId } from "./wizard-steps";

interface Props {
  place: number;
  furthest: number;
  /** One line under each step: what was chosen, or what it is for. */
  notes: Record<StepId, string>;
  onGo(step: StepId): void;
}

/** The steps as a line down the side; a bar on a small screen. */
export function WizardRail({ place, furthest, notes, onGo }: Props) {
  return (
    <nav aria-label="Steps" className="shrink-0 border-r border-(--border) max-md:border-0">
      <ol className="w-62 px-5 py-6 max-md:hidden">
        {STEPS.map((step, at) => (
          <li key={step.id} className="relative pb-3.5 last:pb-0">
            {at < STEPS.length - 1 && (
              <span
                aria-hidden="true"
                className={`absolute top-6 bottom-[-2px] left-[10.25px] border-l-[1.5px] ${at < furthest ? "border-solid border-(--text-2)" : "border-dashed border-(--border-control)"}`}
              />
            )}
            <button
              type="button"
              disabled={at > furthest}
              aria-current={at === place ? "step" : undefined}
              onClick={() => onGo(step.id)}
              className="group grid w-full grid-cols-[22px_minmax(0,1fr)] gap-2.5 text-left text-(--text-2) disabled:cursor-default enabled:hover:text-(--text)"
            >
              <Mark number={at + 1} isCurrent={at === place} isDone={at < furthest} />
              <span className="min-w-0">
                <span className={`block ${at === place ? "font-semibold text-(--text)" : ""}`}>
                  {step.label}
                </span>
                <span className="block truncate text-[12px] leading-4 text-(--text-3)">
                  {notes[step.id]}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ol>
      <div className="px-4 pt-4 md:hidden">
        <p className="text-[12px] text-(--text-2)">
          Step {place + 1} of {STEPS.length}: {STEPS[place]?.label}
        </p>
        <div aria-hidden="true" className="mt-1.5 grid grid-cols-5 gap-1">
          {STEPS.map((step, at) => (
            <span
              key={step.id}
              className={`h-[3px] ${at <= place ? "bg-(--ink)" : "bg-(--border-strong)"}`}
            />
          ))}
        </div>
      </div>
    </nav>
  );
}

function Mark(props: { number: number; isCurrent: boolean; isDone: boolean }) {
  const look = props.isCurrent
    ? "bg-(--ink) text-(--text-on-ink)"
    : `bg-(--surface) ring-[1.5px] ring-inset ${props.isDone ? "text-(--text) ring-(--text-2)" : "ring-(--border-control)"}`;
  return (
    <span
      aria-hidden="true"
      className={`z-1 grid size-[22px] place-items-center rounded-full text-[11px] ${look}`}
    >
      {props.isDone && !props.isCurrent ? <Check className="size-3.5" /> : props.number}
    </span>
  );
}
