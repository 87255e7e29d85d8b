"use client";

import dynamic from "next/dynamic";
import { useId, useRef, useState } from "react";
import { FilterProblems, Underlined } from "@/components/events/filter-problems";
import { Button } from "@/components/ui/button";
import type { Diagnostic } from "@/lib/events/filter/ast";
import { diagnoseDraft } from "@/lib/events/filter/complete";
import { parseFilter } from "@/lib/events/filter/parse";

const FilterHelp = dynamic(
  () => import("@/components/events/filter-help").then((module) => module.FilterHelp),
  { loading: () => null },
);

const problemsOf = (text: string): Diagnostic[] => {
  const parsed = parseFilter(text);
  return parsed.ok ? [] : parsed.diagnostics;
};

export const isFilter = (text: string): boolean => problemsOf(text).length === 0;

/** A stream's filter as one line of the explorer's language: what is wrong is underlined and explained below. */
export function FilterField(props: {
  value: string;
  /** The server's word, or that somebody went on with it: everything that is wrong is shown. */
  isRefused: boolean;
  onChange(value: string): void;
}) {
  const { value, onChange } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [caret, setCaret] = useState(0);
  const [isTyping, setTyping] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const problems = isTyping ? diagnoseDraft(value, caret) : problemsOf(value);
  const suggested = problems.find(({ suggestion }) => suggestion !== null);

  const take = ({ span, suggestion }: Diagnostic) => {
    onChange(value.slice(0, span.start) + (suggestion ?? "") + value.slice(span.end));
    input.current?.focus();
  };
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="font-medium">
        Filter
      </label>
      <div className="flex h-8 items-center gap-1 rounded-[5px] border border-(--border-control) bg-(--surface) pr-1 pl-2.5 has-aria-invalid:border-(--in-failed-line) has-[input:focus]:shadow-(--focus-ring) max-sm:h-11">
        <div className="relative min-w-0 flex-1">
          <Underlined text={value} problems={problems} input={input} />
          <input
            ref={input}
            id={id}
            name="filter"
            value={value}
            placeholder="Every event"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            aria-invalid={problems.length > 0 || undefined}
            aria-describedby={problems.length > 0 ? `${id}problems` : `${id}hint`}
            onChange={(event) => {
              setTyping(true);
              setCaret(event.target.selectionStart ?? event.target.value.length);
              onChange(event.target.value);
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
            onBlur={() => setTyping(false)}
            onKeyDown={(event) => {
              if (event.key !== "Tab" || event.shiftKey || !suggested) return;
              event.preventDefault();
              take(suggested);
            }}
            className="relative h-5.5 w-full bg-transparent font-mono text-[12px] outline-0 focus-visible:shadow-none max-sm:h-11 max-sm:text-[16px]"
          />
        </div>
        <Button
          variant="quiet"
          icon
          aria-label="Filter language"
          title="Filter language"
          onClick={() => setHelpOpen(true)}
          className="!h-6 !w-6 max-sm:!size-11"
        >
          ?
        </Button>
      </div>
      <FilterProblems
        id={`${id}problems`}
        text={value}
        problems={problems}
        isRefused={props.isRefused}
        onTake={take}
      />
      <p id={`${id}hint`} className="text-[12px] text-(--text-3)">
        As in the explorer: <code className="font-mono">action:user.* -actor.type:service</code>.
        Empty: every event.
      </p>
      {isHelpOpen && <FilterHelp onClose={() => setHelpOpen(false)} />}
    </div>
  );
}
