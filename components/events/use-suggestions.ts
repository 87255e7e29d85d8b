"use client";

import { useEffect, useRef } from "react";
import { type Field, fields, isKeyed } from "@/lib/events/fields";
import { type Completion, completionAt, writeValue } from "@/lib/events/filter/complete";
import { serializeField } from "@/lib/events/filter/serialize";
import { isHidden } from "@/lib/events/sight";
import type { FieldValues } from "@/lib/events/values";
import { readRecentFilters } from "./recent-filters";
import { useSight } from "./seen";
import { useDebounced } from "./use-debounced";
import { useFetched } from "./use-fetched";

export interface Suggestion {
  label: string;
  detail: string;
  /** At the end of the line: a kind, a count. */
  note: string;
  /** The part of the label or detail that fits what was typed. */
  typed: string;
  /** What takes the place of the text between. */
  from: number;
  to: number;
  text: string;
  isRecent?: true;
}

export interface Suggestions {
  options: Suggestion[];
  /** Where they come from, or why there are none. */
  footer: string;
}

/** What can stand at the caret: recent filters, fields, keys, values of the log. */
export function useSuggestions(
  organizationId: string,
  draft: string,
  caret: number,
  isOpen: boolean,
): Suggestions {
  const sight = useSight();
  const place = isOpen ? completionAt(draft, caret) : null;
  const url = useDebounced(
    place && place.kind !== "field" ? urlOf(organizationId, place) : "",
    120,
  );
  const cache = useRef(new Map<string, FieldValues>());
  const held = cache.current.get(url);
  const { data, isStale, failure } = useFetched<FieldValues>(url && !held ? url : null);
  useEffect(() => {
    if (!isOpen) cache.current.clear();
    else if (data && !isStale && url) cache.current.set(url, data);
  }, [isOpen, data, isStale, url]);

  if (!place) return { options: [], footer: "" };
  if (place.kind === "field") {
    const recent = draft === "" ? readRecentFilters(organizationId).map(toRecent) : [];
    return {
      options: [...recent, ...fieldOptions(place, draft, new Set(sight?.hidden))],
      footer: "",
    };
  }
  const values = held ?? data;
  if (failure && !held) return { options: [], footer: `No suggestions. ${failure.message}` };
  if (!values) return { options: [], footer: "Looking…" };
  const isCurrent = urlOf(organizationId, place) === url && (held !== undefined || !isStale);
  return {
    options: isCurrent
      ? values.values.map((found) => ({
          label: found.value === "" ? "(empty)" : found.value,
          detail: found.name ?? "",
          note: found.count === null ? "older" : found.count.toLocaleString("en-US"),
          typed: place.prefix,
          ...written(place, draft, found.value),
        }))
      : [],
    footer: isCurrent ? coverage(values, place) : "Looking…",
  };
}

function urlOf(organizationId: string, place: Exclude<Completion, { kind: "field" }>): string {
  const field = place.kind === "key" ? place.field : serializeField(place.field);
  const params = new URLSearchParams({ field, prefix: place.prefix });
  return `/o/${organizationId}/events/values?${params}`;
}

function written(place: Completion, draft: string, value: string) {
  const { from, to } = place;
  if (place.kind === "key") {
    const name = serializeField({ id: place.field, path: [value] });
    return { from, to, text: `${name}${place.isHas ? " " : ":"}` };
  }
  const text = place.kind === "value" ? writeValue(place.field, value) : value;
  // Behind a value the next clause may follow; in parentheses an OR.
  return {
    from,
    to,
    text: draft[from - 1] === ":" && !/\s/.test(draft[to] ?? "") ? `${text} ` : text,
  };
}

function toRecent(q: string): Suggestion {
  return {
    label: q,
    detail: "",
    note: "recent",
    typed: "",
    from: 0,
    to: 0,
    text: q,
    isRecent: true,
  };
}

const OPERATORS = [
  { text: "-", label: "-", detail: "Exclude what follows" },
  { text: "has:", label: "has:", detail: "The field has a value" },
];

function fieldOptions(
  place: Extract<Completion, { kind: "field" }>,
  draft: string,
  hidden: ReadonlySet<string>,
): Suggestion[] {
  const typed = place.prefix.toLowerCase();
  const fits = (name: string) => name.toLowerCase().includes(typed);
  const rank = ({ id }: Field) => (id.startsWith(typed) ? 0 : 1);
  const found = fields
    .filter((field) => !isHidden(hidden, field))
    .filter(({ id, aliases, label }) => [id, label, ...aliases].some(fits))
    .toSorted((left, right) => rank(left) - rank(right));
  const { from, to, isHas, isNegated } = place;
  const operators = OPERATORS.filter(
    ({ text }) => !isHas && text.startsWith(typed) && !(isNegated && text === "-") && draft !== "-",
  );
  return [
    ...found.map((field) => ({
      label: field.id,
      detail: field.label,
      note: field.kind,
      typed,
      from,
      to,
      text: field.id + (isKeyed(field) ? "." : isHas ? " " : ":"),
    })),
    ...operators.map((operator) => ({ ...operator, note: "", typed, from, to })),
  ];
}

function coverage({ values, hasEveryStart, counted }: FieldValues, place: Completion): string {
  const what = place.kind === "key" ? "key" : "value";
  const sample =
    counted.kind === "all"
      ? "all events"
      : `the newest ${counted.matches.toLocaleString("en-US")} events`;
  if (values.length === 0)
    return hasEveryStart
      ? `No ${what} begins with this; none contains it in ${sample}.`
      : `No such ${what} in ${sample}.`;
  return hasEveryStart && counted.kind !== "all"
    ? `Every ${what} that begins with this; the others and the counts from ${sample}.`
    : `From ${sample}${values.some(({ count }) => count === null) ? ", and the first of the others" : ""}.`;
}
