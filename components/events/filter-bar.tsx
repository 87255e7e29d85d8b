"use client";

import { Search } from "lucide-react";
import dynamic from "next/dynamic";
import {
  type KeyboardEvent,
  startTransition,
  useId,
  useLayoutEffect,
  useOptimistic,
  useRef,
  useState,
} from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import type { Clause, Diagnostic, EventFilter } from "@/lib/events/filter/ast";
import { commitDraft, diagnoseDraft } from "@/lib/events/filter/complete";
import { invertClause, removeClause } from "@/lib/events/filter/edit";
import { serializeClause, serializeFilter } from "@/lib/events/filter/serialize";
import { FilterChip } from "./filter-chip";
import { FilterProblems, Underlined } from "./filter-problems";
import { SuggestionList } from "./filter-suggestions";
import { rememberFilter } from "./recent-filters";
import { type Suggestion, useSuggestions } from "./use-suggestions";

const FilterHelp = dynamic(() => import("./filter-help").then((module) => module.FilterHelp), {
  loading: () => null,
});

interface Props {
  organizationId: string;
  /** The filter in force; null when the URL's text could not be understood. */
  filter: EventFilter | null;
  q: string;
  diagnostics: Diagnostic[];
  onChange(q: string): void;
}

/**
 * Chips for the filter in force, text for the next clause. Enter commits, Escape reverts; the list below
 * suggests what can stand at the caret.
 */
export function FilterBar(props: Props) {
  const input = useRef<HTMLInputElement>(null);
  const chips = useRef<HTMLUListElement>(null);
  const id = useId();
  const [draft, setDraft] = useState(props.filter ? "" : props.q);
  const [caret, setCaret] = useState(0);
  /** What the last commit was refused for. */
  const [refused, setRefused] = useState<Diagnostic[]>(props.diagnostics);
  /** The clause that the draft will replace. */
  const [edited, setEdited] = useState<number | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [active, setActive] = useState(-1);
  /** What was chosen last, also while it is on its way through the URL. */
  const [filter, choose] = useOptimistic(props.filter);
  /** What was chosen here, until it has come. */
  const [asked, setAsked] = useState<string[]>([]);
  const [shownQ, setShownQ] = useState(props.q);
  /** Where the caret goes once the draft is painted. */
  const nextCaret = useRef<number | null>(null);

  const clauses = filter?.clauses ?? [];
  const { options, footer } = useSuggestions(props.organizationId, draft, caret, isOpen);
  const isListed = isOpen && (options.length > 0 || footer !== "");
  const current = isListed ? options[active] : undefined;
  const problems = refused.length > 0 ? refused : diagnoseDraft(draft, caret);
  const suggested = problems.find(({ suggestion }) => suggestion !== null);

  const reset = () => {
    setDraft(filter ? "" : props.q);
    setRefused(filter ? [] : props.diagnostics);
    setEdited(null);
    setOpen(false);
    setActive(-1);
  };
  const isPending = filter !== props.filter;
  if (props.q !== shownQ) {
    setShownQ(props.q);
    // The URL is the only source: whatever else changed it, the draft starts anew. What somebody types while an answer is
    // on its way stays.
    const isOwn = asked.includes(props.q) && props.filter !== null;
    if (!isOwn) reset();
    setAsked(isOwn ? asked.slice(asked.lastIndexOf(props.q) + 1) : []);
  } else if (!isPending && asked.length > 0) setAsked([]);
  /** What the chips say. */
  const q = (isPending ? asked.at(-1) : null) ?? props.q;

  useLayoutEffect(() => {
    if (nextCaret.current === null) return;
    input.current?.focus();
    input.current?.setSelectionRange(nextCaret.current, nextCaret.current);
    nextCaret.current = null;
  });

  useShortcuts([
    {
      keys: "/",
      label: "Filter",
      group: "Events",
      run: () => {
        input.current?.focus();
        setOpen(true);
      },
    },
  ]);

  const write = (text: string, at: number) => {
    setDraft(text);
    setCaret(at);
    setRefused([]);
    setActive(-1);
    nextCaret.current = at;
  };

  const ask = (nextQ: string, next: EventFilter) => {
    if (nextQ === q) return;
    setAsked([...asked, nextQ]);
    startTransition(() => {
      choose(next);
      props.onChange(nextQ);
    });
  };

  const apply = (next: EventFilter) => {
    setEdited(null);
    setOpen(false);
    write("", 0);
    ask(serializeFilter(next), next);
  };

  const commit = (text = draft) => {
    const done = commitDraft(filter ?? { clauses: [] }, edited, text);
    setOpen(false);
    if (!done.ok) return setRefused(done.diagnostics);
    rememberFilter(props.organizationId, done.q);
    setDraft("");
    setRefused([]);
    setEdited(null);
    setActive(-1);
    ask(done.q, done.filter);
  };

  const accept = (option: Suggestion) => {
    if (option.isRecent) return commit(option.text);
    const start = draft.slice(0, option.from) + option.text;
    write(start + draft.slice(option.to), start.length);
  };

  /** Somebody with a mouse has no Enter: a clause that is whole is committed. */
  const pick = (option: Suggestion) => {
    if (option.text.endsWith(" "))
      commit(draft.slice(0, option.from) + option.text + draft.slice(option.to));
    else accept(option);
  };

  const takeSuggestion = ({ span, suggestion }: Diagnostic) => {
    const text = suggestion ?? "";
    write(draft.slice(0, span.start) + text + draft.slice(span.end), span.start + text.length);
  };

  const startEdit = (index: number) => {
    const text = serializeClause(clauses[index] as Clause);
    setEdited(index);
    write(text, text.length);
  };

  const focusChip = (index: number) =>
    chips.current?.querySelectorAll<HTMLElement>("[data-chip]")[index]?.focus();

  const onChipKey = (event: KeyboardEvent, index: number, position: number) => {
    const last = clauses.length - (edited === null ? 1 : 2);
    if (event.key === "Backspace" || event.key === "Delete")
      apply(removeClause({ clauses }, index));
    else if (event.key === "ArrowLeft") focusChip(Math.max(0, position - 1));
    else if (event.key === "ArrowRight" && position === last) input.current?.focus();
    else if (event.key === "ArrowRight") focusChip(position + 1);
    else if (event.key === "Escape") input.current?.focus();
    else return;
    event.preventDefault();
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const { selectionStart, selectionEnd } = event.currentTarget;
    const isAtStart = selectionStart === 0 && selectionEnd === 0;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.nativeEvent.isComposing) return;
    if (step !== 0) {
      setOpen(true);
      // One place before the first option is the text itself.
      const places = options.length + 1;
      setActive(isOpen ? ((active + 1 + step + places) % places) - 1 : -1);
    } else if (event.key === "Enter") {
      if (current) accept(current);
      else commit();
    } else if (event.key === "Tab" && !event.shiftKey && current) accept(current);
    else if (event.key === "Tab" && !event.shiftKey && suggested) takeSuggestion(suggested);
    else if (event.key === "Escape") {
      reset();
      if (!isListed) input.current?.blur();
    } else if ((event.key === "Backspace" || event.key === "ArrowLeft") && isAtStart)
      focusChip(clauses.length - (edited === null ? 1 : 2));
    else if (event.key === "?" && draft === "") setHelpOpen(true);
    else return;
    event.preventDefault();
  };

  const field = (
    <li key="input" className="relative min-w-32 flex-1">
      <Underlined text={draft} problems={problems} input={input} />
      <input
        ref={input}
        role="combobox"
        aria-expanded={isListed}
        aria-controls={`${id}list`}
        aria-autocomplete="list"
        aria-activedescendant={current ? `${id}${active}` : undefined}
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
          setCaret(event.target.selectionStart ?? event.target.value.length);
          setRefused([]);
          setActive(-1);
          setOpen(true);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
        onClick={() => setOpen(true)}
        onKeyDown={onKeyDown}
        aria-label="Filter"
        aria-invalid={problems.length > 0 || undefined}
        aria-describedby={problems.length > 0 ? `${id}problems` : undefined}
        placeholder={
          clauses.length === 0 ? "Filter: action:user.* -actor:usr_7 or any text" : "Add a filter"
        }
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        enterKeyHint="search"
        className="relative h-5.5 w-full bg-transparent font-mono text-[12px] outline-0 focus-visible:shadow-none max-sm:h-11 max-sm:text-[16px]"
      />
    </li>
  );
  const shown = clauses.flatMap((clause, index) => (index === edited ? [] : [{ clause, index }]));
  const items = shown.map(({ clause, index }, position) => (
    <FilterChip
      key={`${serializeClause({ ...clause, negated: false })} ${index}`}
      clause={clause}
      onKeyDown={(event) => onChipKey(event, index, position)}
      onEdit={() => startEdit(index)}
      onInvert={() => apply(invertClause({ clauses }, index))}
      onRemove={() => apply(removeClause({ clauses }, index))}
    />
  ));
  return (
    <search
      className="relative min-w-0 flex-1 max-sm:basis-full"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <div className="flex min-h-7 items-center gap-1 rounded-[5px] border border-(--border-control) bg-(--surface) py-0.5 pr-1 pl-2 has-[input:focus]:shadow-(--focus-ring) max-sm:min-h-11">
        <Search size={14} aria-hidden="true" className="shrink-0 text-(--text-3)" />
        <ul
          ref={chips}
          aria-label="Filters"
          className="flex min-w-0 flex-1 flex-wrap items-center gap-1"
        >
          {items.slice(0, edited ?? items.length)}
          {field}
          {items.slice(edited ?? items.length)}
        </ul>
        <button
          type="button"
          onClick={() => setHelpOpen(true)}
          title="Filter language (?)"
          aria-label="Filter language"
          className="grid h-5.5 w-6 shrink-0 place-items-center rounded-[3px] text-(--text-3) hover:bg-(--hover) hover:text-(--text) max-sm:size-11"
        >
          ?
        </button>
      </div>
      <SuggestionList
        id={id}
        isOpen={isListed}
        options={options}
        footer={footer}
        active={active}
        onAccept={pick}
      />
      <FilterProblems
        id={`${id}problems`}
        text={draft}
        problems={problems}
        isRefused={refused.length > 0}
        onTake={takeSuggestion}
      />
      {isHelpOpen && (
        <FilterHelp
          onClose={() => {
            setHelpOpen(false);
            input.current?.focus();
          }}
        />
      )}
    </search>
  );
}
