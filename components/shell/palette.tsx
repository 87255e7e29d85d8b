"use client";

import { Command } from "cmdk";
import { usePathname, useRouter } from "next/navigation";
import { Dialog } from "radix-ui";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useFocusReturn } from "@/components/ui/dialog";
import { parseFilter } from "@/lib/events/filter/parse";
import { type SavedView, viewHref } from "@/lib/views/view";
import type { CommandsProps } from "./commands";
import { Keys } from "./help-sheet";
import { addRecent, type Destination, parsePalette, parseRecent } from "./palette-mode";
import { SubjectItems } from "./palette-subjects";
import { openPanel } from "./panel";
import { placeHref, placesFor } from "./places";
import { readPreference, writePreference } from "./preferences";
import { runShortcut, useRegisteredShortcuts } from "./shortcuts";

/**
 * Goes anywhere and does anything that the page can do: by name, filter, actor, target or event id.
 * @param props.typed what it begins with
 */
export function Palette(props: CommandsProps & { typed: string }) {
  const { organizationId, granted, listViews, typed } = props;
  const router = useRouter();
  const base = `/o/${organizationId}`;
  const recentName = `recent.${organizationId}`;
  const [text, setText] = useState(typed);
  const field = useRef<HTMLInputElement>(null);
  /** Runs once the focus is back where it was. */
  const pending = useRef(() => {});
  const focusReturn = useFocusReturn();
  const readsEvents = granted.includes("events:read");
  const mode = readsEvents ? parsePalette(text) : ({ kind: "commands", text } as const);

  // The list has no other way in: a value given from outside leaves `aria-activedescendant` behind.
  const selectFirst = useCallback(() => {
    field.current?.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
  }, []);
  const close = (then: () => void) => {
    pending.current = then;
    openPanel(null);
  };
  const go = (place: Destination) => {
    const recent = addRecent(parseRecent(readPreference(recentName)), place);
    writePreference(recentName, JSON.stringify(recent));
    close(() => router.push(place.href));
  };
  const runFilter = (q: string) =>
    go({ label: q, href: `${base}/events?${new URLSearchParams({ q })}` });

  return (
    <Dialog.Root open onOpenChange={() => openPanel(null)}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-(--scrim)" />
        <Dialog.Content
          aria-describedby={undefined}
          onOpenAutoFocus={(event) => {
            focusReturn.onOpenAutoFocus();
            // Typing goes on behind what is there already, which by itself would be selected.
            event.preventDefault();
            field.current?.focus();
            field.current?.setSelectionRange(typed.length, typed.length);
          }}
          onCloseAutoFocus={(event) => {
            focusReturn.onCloseAutoFocus(event);
            pending.current();
          }}
          className="fixed top-[12dvh] left-1/2 z-50 w-[min(600px,calc(100vw-24px))] -translate-x-1/2 overflow-hidden rounded-[8px] bg-(--raised) shadow-(--shadow-menu) max-sm:top-3"
        >
          <Dialog.Title className="sr-only">Search or jump to</Dialog.Title>
          <Command label="Search or jump to" loop shouldFilter={mode.kind === "commands"}>
            <Command.Input
              ref={field}
              value={text}
              onValueChange={setText}
              placeholder="Search or jump to"
              className="h-11 w-full border-b border-(--border) bg-transparent px-4 outline-0 focus-visible:shadow-none max-sm:text-[16px]"
            />
            <Command.List className="max-h-[min(420px,60dvh)] overflow-auto p-1.5 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-[12px] [&_[cmdk-group-heading]]:text-(--text-3)">
              {mode.kind === "commands" && (
                <CommandItems
                  organizationId={organizationId}
                  granted={granted}
                  listViews={listViews}
                  text={mode.text}
                  recent={parseRecent(readPreference(recentName))}
                  onGo={go}
                  onRun={(keys) => close(() => runShortcut(keys))}
                  onSearch={runFilter}
                />
              )}
              {mode.kind === "filter" && (
                <FilterItems text={mode.text} onRun={runFilter} onText={(q) => setText(`/${q}`)} />
              )}
              {mode.kind === "subjects" && (
                <SubjectItems
                  key={mode.role}
                  {...mode}
                  base={base}
                  onLost={selectFirst}
                  onGo={go}
                  onFilter={runFilter}
                />
              )}
              {mode.kind === "event" && (
                <Item
                  onSelect={() => go({ label: mode.id, href: `${base}/events?event=${mode.id}` })}
                >
                  Open event <span className="truncate font-mono text-[12px]">{mode.id}</span>
                </Item>
              )}
            </Command.List>
            {readsEvents && (
              <p className="flex flex-wrap gap-x-4 border-t border-(--border) px-4 py-2 text-[12px] text-(--text-3)">
                {["/ filter", "@ actor", "# target", "or paste an event’s id"].map((hint) => (
                  <span key={hint}>{hint}</span>
                ))}
              </p>
            )}
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** @param props.value tells items apart, and is what is searched in */
export function Item(props: {
  value?: string;
  /** Stands whatever is searched for. */
  forceMount?: boolean;
  onSelect(): void;
  children: ReactNode;
}) {
  return (
    <Command.Item
      value={props.value}
      forceMount={props.forceMount}
      onSelect={props.onSelect}
      className="flex min-h-8 items-center gap-2 rounded-[5px] px-2 aria-selected:bg-(--selected) max-sm:min-h-11"
    >
      {props.children}
    </Command.Item>
  );
}

/** Of the page's actions, before anything is typed. */
const ACTIONS_SUGGESTED = 5;

function CommandItems(
  props: CommandsProps & {
    text: string;
    recent: Destination[];
    onGo(place: Destination): void;
    onRun(keys: string): void;
    onSearch(q: string): void;
  },
) {
  const { organizationId, listViews, onGo } = props;
  const pathname = usePathname();
  const shortcuts = new Map(useRegisteredShortcuts().map((known) => [known.keys, known]));
  const [views, setViews] = useState<readonly SavedView[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    listViews?.(organizationId).then(
      (result) =>
        result.ok
          ? setViews(result.data.views)
          : setProblem(`${result.message} ${result.requestId}`),
      () => setProblem("The server did not answer."),
    );
  }, [organizationId, listViews]);
  const places = placesFor(props.granted)
    .map((place) => ({
      label: place.label,
      href: placeHref(organizationId, place),
      keys: `g ${place.key}`,
    }))
    .filter(({ href }) => href !== pathname);
  const actions = [...shortcuts.values()]
    .filter(({ keys }) => keys !== "mod+k" && !keys.startsWith("g "))
    .slice(0, props.text ? undefined : ACTIONS_SUGGESTED);
  const starredFirst = views.toSorted((a, b) => Number(b.isStarred) - Number(a.isStarred));
  return (
    <>
      <Command.Group heading="Suggestions">
        {places.map(({ keys, ...place }) => (
          <Item key={keys} value={`Go to ${place.label}`} onSelect={() => onGo(place)}>
            <span className="flex-1">Go to {place.label}</span> <Keys keys={keys} />
          </Item>
        ))}
        {actions.map(({ keys, label }) => (
          <Item key={keys} value={label} onSelect={() => props.onRun(keys)}>
            <span className="flex-1">{label}</span> <Keys keys={keys} />
          </Item>
        ))}
      </Command.Group>
      {props.recent.length > 0 && (
        <Command.Group heading="Recent">
          {props.recent.map((place) => (
            <Item
              key={place.href}
              value={`recent ${place.label} ${place.href}`}
              onSelect={() => onGo(place)}
            >
              <span className="truncate">{place.label}</span>
            </Item>
          ))}
        </Command.Group>
      )}
      {views.length > 0 && (
        <Command.Group heading="Saved views">
          {starredFirst.map((view) => (
            <Item
              key={view.id}
              value={`${view.name} ${view.id}`}
              onSelect={() => onGo({ label: view.name, href: viewHref(organizationId, view) })}
            >
              <span className="flex-1 truncate">{view.name}</span>
              <span className="text-[12px] text-(--text-3)">
                {view.isMine ? view.isStarred && "starred" : (view.ownerName ?? "former member")}
              </span>
            </Item>
          ))}
        </Command.Group>
      )}
      {problem && (
        <p role="alert" className="px-2 py-1.5 text-[12px] text-(--in-failed)">
          Could not load saved views. {problem}
        </p>
      )}
      {props.text && props.granted.includes("events:read") && (
        <Command.Group heading="Events" forceMount>
          <Item
            forceMount
            value={`search ${props.text}`}
            onSelect={() => props.onSearch(`"${props.text.replace(/["\\*]/g, "\\$&")}"`)}
          >
            <span className="truncate">Search events for “{props.text}”</span>
          </Item>
        </Command.Group>
      )}
    </>
  );
}

function FilterItems(props: { text: string; onRun(q: string): void; onText(q: string): void }) {
  const { text } = props;
  const parsed = parseFilter(text);
  if (!text)
    return <p className="px-2 py-1.5 text-(--text-3)">action:user.* -actor:usr_7 or any text</p>;
  if (parsed.ok)
    return (
      <Item value="run" onSelect={() => props.onRun(text)}>
        Filter events by <span className="truncate font-mono text-[12px]">{text}</span>
      </Item>
    );
  return (
    <>
      <ul role="status" className="px-2 py-1.5 text-(--in-failed)">
        {parsed.diagnostics.map(({ code, span, message }) => (
          <li key={`${code} ${span.start}`}>{message.replaceAll("`", "")}</li>
        ))}
      </ul>
      {parsed.diagnostics.map(
        ({ suggestion, span }) =>
          suggestion !== null && (
            <Item
              key={span.start}
              value={`use ${span.start}`}
              onSelect={() =>
                props.onText(text.slice(0, span.start) + suggestion + text.slice(span.end))
              }
            >
              Use {suggestion}
            </Item>
          ),
      )}
    </>
  );
}
