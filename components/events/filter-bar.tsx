"use client";

import { Search, X } from "lucide-react";
import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import type { Clause, Diagnostic, EventFilter } from "@/lib/events/filter/ast";
import { invertClause, removeClause } from "@/lib/events/filter/edit";
import { parseFilter } from "@/lib/events/filter/parse";
import { serializeClause, serializeFilter } from "@/lib/events/filter/serialize";
import { describeClause } from "./describe-clause";

interface Props {
  /** The filter in force; null when the URL's text could not be understood. */
  filter: EventFilter | null;
  q: string;
  diagnostics: Diagnostic[];
  onChange(q: string): void;
  /** Stands at the end of the bar. */
  children?: ReactNode;
}

/** Chips for the filter in force, text for the next clause. Enter commits, Escape reverts. */
export function FilterBar(props: Props) {
  const { filter } = props;
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(filter ? "" : props.q);
  const [problems, setProblems] = useState<Diagnostic[]>(props.diagnostics);
  /** The clause that the draft will replace. */
  const [edited, setEdited] = useState<number | null>(null);

  const reset = () => {
    setDraft(filter ? "" : props.q);
    setProblems(props.diagnostics);
    setEdited(null);
  };
  // The URL is the only source: whatever changed it, the draft starts anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: q decides.
  useEffect(reset, [props.q]);

  useShortcuts([
    { keys: "/", label: "Filter", group: "Events", run: () => input.current?.focus() },
  ]);

  const clauses = filter?.clauses ?? [];

  const commit = (event: FormEvent) => {
    event.preventDefault();
    const kept = clauses.filter((_, index) => index !== edited);
    const parsed = parseFilter(draft);
    if (!parsed.ok) {
      setProblems(parsed.diagnostics);
      return;
    }
    const q = serializeFilter({ clauses: [...kept, ...parsed.filter.clauses] });
    const whole = parseFilter(q);
    if (!whole.ok) {
      setProblems(whole.diagnostics);
      return;
    }
    if (q === props.q) reset();
    else props.onChange(q);
  };

  const startEdit = (index: number) => {
    setEdited(index);
    setDraft(serializeClause(clauses[index] as Clause));
    input.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") {
      reset();
      input.current?.blur();
    }
    if (event.key === "Backspace" && draft === "" && filter && clauses.length > 0)
      startEdit(clauses.length - 1);
  };

  const apply = (change: (current: EventFilter) => EventFilter) =>
    filter && props.onChange(serializeFilter(change(filter)));

  const takeSuggestion = (problem: Diagnostic) => {
    const { start, end } = problem.span;
    setDraft(draft.slice(0, start) + (problem.suggestion ?? "") + draft.slice(end));
    setProblems([]);
    input.current?.focus();
  };

  return (
    <search className="min-w-0 flex-1 max-sm:basis-full">
      <form
        onSubmit={commit}
        className="flex min-h-7 items-center gap-1 rounded-[5px] border border-(--border-control) bg-(--surface) py-0.5 pr-1 pl-2 focus-within:shadow-(--focus-ring) max-sm:min-h-11"
      >
        <Search size={14} aria-hidden="true" className="shrink-0 text-(--text-3)" />
        <div className="flex min-w-0 flex-1 flex-wrap items-center gap-1">
          <ul aria-label="Filters" className="contents">
            {clauses.map((clause, index) =>
              index === edited ? null : (
                <li key={serializeClause(clause)} className="min-w-0">
                  <Chip
                    clause={clause}
                    onEdit={() => startEdit(index)}
                    onInvert={() => apply((current) => invertClause(current, index))}
                    onRemove={() => apply((current) => removeClause(current, index))}
                  />
                </li>
              ),
            )}
          </ul>
          <input
            ref={input}
            value={draft}
            onChange={(event) => {
              setDraft(event.target.value);
              setProblems([]);
            }}
            onKeyDown={onKeyDown}
            aria-label="Filter"
            aria-invalid={problems.length > 0 || undefined}
            aria-describedby={problems.length > 0 ? "filter-problems" : undefined}
            placeholder={
              clauses.length === 0
                ? "Filter: action:user.* -actor:usr_7 or any text"
                : "Add a filter"
            }
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            enterKeyHint="search"
            className="h-5.5 min-w-32 flex-1 bg-transparent font-mono text-[12px] outline-0 focus-visible:shadow-none max-sm:h-8 max-sm:text-[16px]"
          />
        </div>
        {props.children}
      </form>
      {problems.length > 0 && (
        <div role="alert">
          <ul id="filter-problems" className="mt-1 grid gap-0.5 text-[12px] text-(--in-failed)">
            {problems.map((problem) => (
              <li key={`${problem.code} ${problem.span.start}`}>
                {problem.span.end > problem.span.start && draft.length >= problem.span.end && (
                  <code className="mr-1.5 font-mono underline decoration-wavy underline-offset-2">
                    {draft.slice(problem.span.start, problem.span.end)}
                  </code>
                )}
                {problem.message.replaceAll("`", "")}
                {problem.suggestion !== null && (
                  <button
                    type="button"
                    onClick={() => takeSuggestion(problem)}
                    className="ml-1.5 underline underline-offset-2"
                  >
                    Use {problem.suggestion}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </search>
  );
}

const PART = "h-full px-1 hover:bg-(--hover)";

function Chip(props: { clause: Clause; onEdit(): void; onInvert(): void; onRemove(): void }) {
  const { field, operator, value } = describeClause(props.clause);
  const sentence = `${field} ${operator} ${value}`.trim();
  return (
    <span className="flex h-5.5 max-w-full items-stretch overflow-hidden rounded-[3px] border border-(--border-strong) bg-(--sunken) text-[12px] max-sm:h-9">
      {field && (
        <button
          type="button"
          onClick={props.onEdit}
          className={`${PART} font-mono`}
          aria-label={`Edit filter: ${sentence}`}
        >
          {field}
        </button>
      )}
      <button
        type="button"
        onClick={props.onInvert}
        title="Invert"
        aria-label={`Invert filter: ${sentence}`}
        className={`${PART} whitespace-nowrap ${props.clause.negated ? "text-(--in-failed)" : "text-(--text-2)"}`}
      >
        {operator}
      </button>
      {value && (
        <button
          type="button"
          onClick={props.onEdit}
          className={`${PART} min-w-0 truncate font-mono`}
          aria-label={`Edit filter: ${sentence}`}
        >
          {value}
        </button>
      )}
      <button
        type="button"
        onClick={props.onRemove}
        className={`${PART} text-(--text-3) hover:text-(--text)`}
        aria-label={`Remove filter: ${sentence}`}
      >
        <X size={12} aria-hidden="true" />
      </button>
    </span>
  );
}
