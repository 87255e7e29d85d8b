"use client";

import { Command, useCommandState } from "cmdk";
import { useEffect, useState } from "react";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { fieldRef, includeValue } from "@/lib/events/filter/edit";
import { serializeFilter } from "@/lib/events/filter/serialize";
import type { Participant } from "@/lib/events/schema";
import { Item } from "./palette";
import type { Destination } from "./palette-mode";

const PAUSE_MS = 120;

type Found =
  | { kind: "loading" }
  | { kind: "ready"; subjects: Participant[] }
  | { kind: "failed"; message: string };

/** Asks once typing pauses; what was asked before is given up. */
function useSubjects(url: string): Found {
  const [found, setFound] = useState<Found>({ kind: "loading" });
  useEffect(() => {
    const abort = new AbortController();
    const read = async () => {
      const response = await fetch(url, { signal: abort.signal });
      const body = await response.json();
      if (response.ok) setFound({ kind: "ready", subjects: body.subjects });
      else setFound({ kind: "failed", message: body.message });
    };
    const timer = setTimeout(() => {
      read().catch(() => {
        if (!abort.signal.aborted)
          setFound({ kind: "failed", message: "The server did not answer." });
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [url]);
  return found;
}

// The list trims values.
const timelineOf = ({ type, id }: Participant) => `timeline ${type}:${id}`.trim();
const filterBy = ({ type, id }: Participant) => `filter ${type}:${id}`.trim();

/**
 * Actors or targets by id or name: their timelines, or the events that they are in.
 * @param props.onLost what was selected is gone
 */
export function SubjectItems(props: {
  role: "actor" | "target";
  text: string;
  base: string;
  onLost(): void;
  onGo(place: Destination): void;
  onFilter(q: string): void;
}) {
  const { role, text, base, onLost } = props;
  const found = useSubjects(`${base}/events/subjects?${new URLSearchParams({ role, text })}`);
  const runFilter = (id: string) =>
    props.onFilter(serializeFilter(includeValue(EMPTY_FILTER, fieldRef(role), id)));
  // Until the next answer comes, of the last one only what fits.
  const subjects = (found.kind === "ready" ? found.subjects : []).filter(({ id, name = "" }) =>
    `${id} ${name}`.toLowerCase().includes(text.toLowerCase()),
  );
  const offersTyped = text !== "" && !subjects.some(({ id }) => id === text);
  // What was selected for want of a match gives way to one.
  const asTyped = subjects.length > 0 ? "as typed" : "as typed, alone";
  const values = [...subjects.map(timelineOf), ...subjects.map(filterBy)];
  if (offersTyped) values.push(asTyped);
  const isLost = !values.includes(useCommandState(({ value }) => value));
  const isEmpty = found.kind !== "ready" || values.length === 0;
  useEffect(() => {
    // The list forgets to select another where several are gone at once.
    if (isLost && !isEmpty) onLost();
  }, [isLost, isEmpty, onLost]);
  if (found.kind === "loading")
    return <Command.Loading className="px-2 py-1.5">Looking…</Command.Loading>;
  if (found.kind === "failed")
    return (
      <p role="alert" className="px-2 py-1.5 text-(--in-failed)">
        Could not look for {role}s. {found.message}
      </p>
    );
  return (
    <>
      <Command.Group heading={`Timeline of ${role}`}>
        {subjects.map(({ type, id, name }) => (
          <Item
            key={`${type}:${id}`}
            value={timelineOf({ type, id })}
            onSelect={() =>
              props.onGo({
                label: name ?? id,
                href: `${base}/timeline?${new URLSearchParams({ [role]: `${type}:${id}` })}`,
              })
            }
          >
            <span className="min-w-0 flex-1 truncate">{name ?? id}</span>
            <span className="max-w-56 truncate font-mono text-[12px] text-(--text-3)">
              {type}:{id}
            </span>
          </Item>
        ))}
      </Command.Group>
      <Command.Group heading={`Filter events by ${role}`}>
        {subjects.map(({ type, id, name }) => (
          <Item key={`${type}:${id}`} value={filterBy({ type, id })} onSelect={() => runFilter(id)}>
            <span className="min-w-0 flex-1 truncate">{name ?? id}</span>
            <span className="max-w-56 truncate font-mono text-[12px] text-(--text-3)">{id}</span>
          </Item>
        ))}
        {offersTyped && (
          <Item value={asTyped} onSelect={() => runFilter(text)}>
            The id <span className="truncate font-mono text-[12px]">{text}</span>
          </Item>
        )}
      </Command.Group>
      <p className="px-2 py-1.5 text-[12px] text-(--text-3)">
        Names and parts of ids are looked for among the newest 5,000 events, whole ids among all.
      </p>
    </>
  );
}
