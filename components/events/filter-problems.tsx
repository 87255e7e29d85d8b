"use client";

import { type RefObject, useLayoutEffect, useRef } from "react";
import type { Diagnostic } from "@/lib/events/filter/ast";

/** The draft once more behind its input, invisible but for a line under what is wrong. */
export function Underlined(props: {
  text: string;
  problems: readonly Diagnostic[];
  input: RefObject<HTMLInputElement | null>;
}) {
  const { text, problems, input } = props;
  const layer = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = input.current;
    const follow = () => layer.current?.scrollTo({ left: element?.scrollLeft ?? 0 });
    follow();
    element?.addEventListener("scroll", follow);
    return () => element?.removeEventListener("scroll", follow);
  });
  let at = 0;
  const parts = problems
    .toSorted((left, right) => left.span.start - right.span.start)
    .flatMap(({ span }) => {
      const start = Math.max(span.start, at);
      if (span.end <= start) return [];
      const part = { plain: text.slice(at, start), wrong: text.slice(start, span.end), start };
      at = span.end;
      return [part];
    });
  if (parts.length === 0) return null;
  return (
    <div
      ref={layer}
      aria-hidden="true"
      data-testid="filter-underline"
      className="pointer-events-none absolute inset-0 overflow-hidden font-mono text-[12px] leading-5.5 whitespace-pre text-transparent max-sm:text-[16px] max-sm:leading-11"
    >
      {parts.map(({ plain, wrong, start }) => (
        <span key={start}>
          {plain}
          <span className="underline decoration-(--in-failed) decoration-wavy underline-offset-3">
            {wrong}
          </span>
        </span>
      ))}
    </div>
  );
}

/** What is wrong, and the nearest field where there is one. */
export function FilterProblems(props: {
  id: string;
  text: string;
  problems: readonly Diagnostic[];
  /** Enter was pressed on it, or it came with the address. */
  isRefused: boolean;
  onTake(problem: Diagnostic): void;
}) {
  const { problems, text } = props;
  const first = problems.find(({ suggestion }) => suggestion !== null);
  return (
    <div role={props.isRefused ? "alert" : "status"}>
      {problems.length > 0 && (
        <ul id={props.id} className="mt-1 grid gap-0.5 text-[12px] text-(--in-failed)">
          {problems.map((problem) => (
            <li key={`${problem.code} ${problem.span.start}`}>
              {problem.span.end > problem.span.start && text.length >= problem.span.end && (
                <code className="mr-1.5 font-mono underline decoration-wavy underline-offset-2">
                  {text.slice(problem.span.start, problem.span.end)}
                </code>
              )}
              {problem.message.replaceAll("`", "")}
              {problem.suggestion !== null && (
                <button
                  type="button"
                  onClick={() => props.onTake(problem)}
                  className="ml-1.5 underline underline-offset-2 max-sm:min-h-11"
                >
                  Use {problem.suggestion}
                </button>
              )}
              {problem === first && <kbd className="ml-1.5 text-(--text-3) max-sm:hidden">Tab</kbd>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
