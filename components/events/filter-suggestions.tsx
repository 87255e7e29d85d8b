"use client";

import { useEffect, useRef } from "react";
import type { Suggestion } from "./use-suggestions";

/** The combobox's list. The focus stays in the text; `active` is the option that Enter takes. */
export function SuggestionList(props: {
  id: string;
  isOpen: boolean;
  options: readonly Suggestion[];
  footer: string;
  active: number;
  onAccept(option: Suggestion): void;
}) {
  const { id, options, active } = props;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active >= 0) list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <div
      hidden={!props.isOpen}
      className="absolute top-full left-0 z-40 mt-1 w-full max-w-140 rounded-[8px] bg-(--raised) p-1 shadow-(--shadow-menu) max-sm:static max-sm:max-w-none"
    >
      <div
        ref={list}
        role="listbox"
        id={`${id}list`}
        aria-label="Suggestions"
        className="max-h-80 overflow-auto"
      >
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the combobox keeps the focus (aria-activedescendant).
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the combobox's.
          <div
            key={`${option.note === "recent"} ${option.label}`}
            role="option"
            id={`${id}${index}`}
            aria-selected={index === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => props.onAccept(option)}
            className={`flex h-7 items-center gap-3 rounded-[5px] px-2 text-[12px] max-sm:h-11 ${index === active ? "bg-[color-mix(in_srgb,var(--text)_8%,transparent)]" : "hover:bg-(--hover)"}`}
          >
            <span className="min-w-0 truncate font-mono">
              <Fit text={option.label} typed={option.typed} />
            </span>
            <span className="min-w-0 flex-1 truncate text-(--text-2)">
              <Fit text={option.detail} typed={option.typed} />
            </span>
            <span className="shrink-0 text-[11px] text-(--text-3) tabular-nums">{option.note}</span>
          </div>
        ))}
      </div>
      {props.footer && (
        <p role="status" className="px-2 py-1.5 text-[11px] text-(--text-3)">
          {props.footer}
        </p>
      )}
    </div>
  );
}

/** The part that fits what was typed stands out. */
function Fit({ text, typed }: { text: string; typed: string }) {
  const at = typed ? text.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <strong className="font-semibold underline decoration-(--border-control) underline-offset-3">
        {text.slice(at, at + typed.length)}
      </strong>
      {text.slice(at + typed.length)}
    </>
  );
}
