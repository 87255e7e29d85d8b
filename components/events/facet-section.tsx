"use client";

import { ChevronDown, ChevronRight, Minus, Search } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { FACET_SAMPLE, type Facet, type FacetValue, SAMPLE_WORDS } from "@/lib/events/facets";
import type { EventFilter, FieldRef } from "@/lib/events/filter/ast";
import {
  excludeValue,
  includeValue,
  onlyValue,
  removeValue,
  valueState,
} from "@/lib/events/filter/edit";
import { Coverage, type Facets, facetsUrl } from "./facet-sections";
import { useDebounced } from "./use-debounced";
import type { Failure } from "./use-event-list";
import { useFetched } from "./use-fetched";

interface SharedFacet {
  facet: Facet | null;
  isStale: boolean;
  failure: Failure | null;
  retry(): void;
}

interface Props extends Facets {
  field: FieldRef;
  /** As filters name the field. */
  name: string;
  label: string;
  isOpen: boolean;
  onOpen(isOpen: boolean): void;
  /** The answer that several sections share; null: this one asks by itself. */
  shared: SharedFacet | null;
}

/** Values of one field with their counts: click includes, Alt-click or − excludes. */
export function FacetSection(props: Props) {
  const { field, name, label, isOpen, search } = props;
  const listId = useId();
  const [text, setText] = useState<string | null>(null);
  const wanted = useDebounced(text ?? "", 200);
  const isOwn = isOpen && (props.shared === null || wanted !== "");
  const own = useFetched<{ facets: Record<string, Facet> }>(
    isOwn
      ? facetsUrl(props.organizationId, search, [
          ["field", name],
          ["search", wanted],
        ])
      : null,
    props.version,
  );
  const { facet, isStale, failure, retry } =
    isOwn || !props.shared ? { ...own, facet: own.data?.facets[name] ?? null } : props.shared;
  const edit = (
    change: (filter: EventFilter, field: FieldRef, value: string) => EventFilter,
    value: string,
  ) => props.onFilter(change(search.filter, field, value));
  const most = Math.max(...(facet?.values.map(({ count }) => count) ?? []), 1);
  const more = facet ? facet.distinct - facet.values.filter(({ count }) => count > 0).length : 0;

  return (
    <section className="border-b border-(--border) py-1.5" aria-label={label}>
      <div className="flex h-7 items-center gap-1 pr-2 pl-2.5">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={listId}
          onClick={() => props.onOpen(!isOpen)}
          className="flex min-w-0 flex-1 items-center gap-1.5 text-left text-[12px] font-medium text-(--text-2) max-sm:h-11"
        >
          {isOpen ? (
            <ChevronDown size={14} aria-hidden="true" />
          ) : (
            <ChevronRight size={14} aria-hidden="true" />
          )}
          <span className="truncate">{label}</span>
        </button>
        {isOpen && (
          <Button
            variant="quiet"
            icon
            className="size-5 max-sm:size-11"
            aria-label={`Search ${label}`}
            aria-pressed={text !== null}
            onClick={() => setText(text === null ? "" : null)}
          >
            <Search size={12} aria-hidden="true" />
          </Button>
        )}
      </div>
      <div id={listId} hidden={!isOpen}>
        {isOpen && text !== null && (
          <Input
            autoFocus
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setText(null)}
            aria-label={`Search ${label} values`}
            placeholder={`Search ${label.toLowerCase()}`}
            className="mx-2.5 mb-1 h-7 w-[calc(100%-20px)] px-2 text-[12px] max-sm:h-11"
          />
        )}
        {failure ? (
          <p role="alert" className="px-3 py-1 text-[12px] text-(--in-fetch)">
            Could not count. {failure.message}{" "}
            {failure.requestId && `Request ${failure.requestId}. `}
            <button type="button" className="underline" onClick={retry}>
              Retry
            </button>
          </p>
        ) : !facet ? (
          <p className="grid gap-2 px-3 py-1.5" role="status" aria-label={`Counting ${label}`}>
            {[64, 48, 56].map((width) => (
              <span
                key={width}
                className="h-2 rounded-full bg-(--sunken)"
                style={{ width: `${width}%` }}
              />
            ))}
          </p>
        ) : (
          <>
            <ul className={isStale ? "opacity-60" : ""} aria-busy={isStale}>
              {facet.values.map((value) => (
                <Value
                  key={value.value}
                  value={value}
                  isMono={!value.name && field.id !== "target.type"}
                  share={value.count / most}
                  isCapped={facet.counted.kind === "newest" && value.count >= FACET_SAMPLE}
                  state={valueState(search.filter, field, value.value)}
                  label={label}
                  onEdit={edit}
                  onClear={(negated) =>
                    props.onFilter(removeValue(search.filter, field, value.value, negated))
                  }
                />
              ))}
            </ul>
            {facet.values.length === 0 && (
              <p className="px-3 py-0.5 text-[12px] text-(--text-3)">
                {wanted ? `No ${label.toLowerCase()} contains “${wanted}”.` : "None"}
              </p>
            )}
            {more > 0 && text === null && (
              <button
                type="button"
                onClick={() => setText("")}
                className="px-3 py-0.5 text-[12px] text-(--text-3) underline decoration-(--border-control) underline-offset-3 hover:text-(--text) max-sm:h-11"
              >
                Search {facet.distinct.toLocaleString("en-US")}
                {facet.counted.kind === "all" ? "" : "+"} values
              </button>
            )}
            {isOwn && <Coverage counted={facet.counted} />}
          </>
        )}
      </div>
    </section>
  );
}

function Value(props: {
  value: FacetValue;
  isMono: boolean;
  /** Of the most frequent value. */
  share: number;
  isCapped: boolean;
  state: "include" | "exclude" | null;
  label: string;
  onEdit(change: typeof includeValue, value: string): void;
  onClear(negated: boolean): void;
}) {
  const { state, onEdit } = props;
  const { value, name, count } = props.value;
  const shown = name ?? (value === "" ? "(empty)" : value);
  const words = props.isCapped ? SAMPLE_WORDS : count.toLocaleString("en-US");
  return (
    <li className="group relative flex h-[23px] items-center hover:bg-(--hover) max-sm:h-11">
      <button
        type="button"
        aria-pressed={state === "include" ? true : state === "exclude" ? "mixed" : false}
        aria-label={`${state === "exclude" ? "Excluded: " : ""}${shown}, ${words}`}
        title={name ? `${name} (${value})` : value}
        onClick={(event) => {
          if (state) props.onClear(state === "exclude");
          else onEdit(event.altKey ? excludeValue : includeValue, value);
        }}
        className="flex h-full min-w-0 flex-1 items-center gap-2 pr-2.5 pl-2.5 text-left focus-visible:shadow-(--focus-inset)"
      >
        <span
          aria-hidden="true"
          className={`grid size-3.5 shrink-0 place-items-center rounded-[3px] border text-[10px] leading-none ${state === "include" ? "border-(--accent) bg-(--accent) text-(--surface)" : state === "exclude" ? "border-(--in-failed-line) text-(--in-failed)" : "border-(--border-control) bg-(--surface)"}`}
        >
          {state === "include" ? "✓" : state === "exclude" ? "−" : ""}
        </span>
        <span
          className={`min-w-0 flex-1 truncate text-[12px] ${props.isMono ? "font-mono" : ""} ${state === "exclude" ? "text-(--in-failed) line-through" : ""}`}
        >
          {shown}
        </span>
        <span className="text-[11px] text-(--text-3) tabular-nums group-focus-within:invisible group-hover:invisible">
          {words}
        </span>
      </button>
      <span className="absolute right-1.5 flex gap-0.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 max-sm:static max-sm:opacity-100">
        <button
          type="button"
          aria-label={`Only ${shown}`}
          onClick={() => onEdit(onlyValue, value)}
          className="h-4.5 rounded-[3px] border border-(--border-strong) bg-(--surface) px-1 text-[11px] leading-4 hover:border-(--border-control) max-sm:h-11 max-sm:min-w-11 max-sm:border-0"
        >
          only
        </button>
        {state !== "exclude" && (
          <button
            type="button"
            aria-label={`Exclude ${shown}`}
            onClick={() => onEdit(excludeValue, value)}
            className="grid size-4.5 place-items-center rounded-[3px] border border-(--border-strong) bg-(--surface) hover:border-(--border-control) max-sm:size-11 max-sm:border-0"
          >
            <Minus size={11} aria-hidden="true" />
          </button>
        )}
      </span>
      <span
        aria-hidden="true"
        className="pointer-events-none absolute bottom-0 left-8 h-px bg-(--border-control)"
        style={{ width: `calc((100% - 45px) * ${props.share})` }}
      />
    </li>
  );
}
