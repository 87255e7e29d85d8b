"use client";

import { useEffect, useState } from "react";
import { useDebounced } from "@/components/events/use-debounced";
import type { ActionResult } from "@/lib/http/action-result";
import type { FormatPreview } from "@/lib/streams/schema";
import { formatCount } from "./words";

const DEBOUNCE_MS = 400;

/** The newest events that the filter takes, as they would be sent; read again when the input stands still. */
export function Preview(props: {
  /** Null while it is not worth asking. */
  input: object | null;
  read(input: object): Promise<ActionResult<FormatPreview>>;
}) {
  const [preview, setPreview] = useState<FormatPreview | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isStale, setStale] = useState(true);
  const current = JSON.stringify(props.input);
  const settled = useDebounced(current, DEBOUNCE_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the input asks again, not the function.
  useEffect(() => {
    const input = JSON.parse(settled) as object | null;
    if (!input) return;
    let isCurrent = true;
    setStale(true);
    props
      .read(input)
      .then((result) => {
        if (!isCurrent) return;
        setStale(false);
        setProblem(result.ok ? null : (result.errors[0]?.code ?? result.message));
        if (result.ok) setPreview(result.data);
      })
      .catch(() => isCurrent && setProblem("The preview could not be read."));
    return () => {
      isCurrent = false;
    };
  }, [settled]);
  const isDim = isStale || settled !== current || problem !== null;
  return (
    <section aria-labelledby="preview" className="min-w-0">
      <h2 id="preview" className="text-[14px] font-semibold tracking-[-0.012em]">
        Preview{" "}
        {preview && (
          <span className="text-[12px] font-normal text-(--text-3)">{coverage(preview)}</span>
        )}
      </h2>
      {problem && (
        <p role="status" className="mt-1 text-[12px] text-(--in-fetch)">
          {problem}
        </p>
      )}
      {!preview && !problem && (
        <div
          role="status"
          aria-label="Loading the preview"
          className="mt-2 h-40 animate-pulse rounded-[5px] bg-(--sunken)"
        />
      )}
      {preview?.events.length === 0 && (
        <p className="mt-1 text-(--text-2)">
          {preview.searchedTo
            ? `No event since ${preview.searchedTo.slice(0, 10)} fits this filter; older ones were not looked at.`
            : "No event fits this filter so far."}
        </p>
      )}
      <ol aria-busy={isDim} className={`grid grid-cols-1 gap-2 ${isDim ? "opacity-60" : ""}`}>
        {preview?.events.map((event) => (
          <li key={event.id}>
            <pre
              // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard.
              tabIndex={0}
              className="mt-2 max-h-72 overflow-auto rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] leading-[18px] break-words whitespace-pre-wrap focus-visible:shadow-(--focus-inset)"
            >
              {event.text}
            </pre>
          </li>
        ))}
      </ol>
    </section>
  );
}

function coverage({ isSample, matched, lookedAt }: FormatPreview): string {
  if (lookedAt === 0) return "made up: the log has no event yet";
  const taken = `the filter takes ${formatCount(matched)} of the newest ${formatCount(lookedAt)}`;
  if (isSample) return `made up: you may not read events; ${taken}`;
  return matched === lookedAt ? "the newest events, as they are sent" : taken;
}
