"use client";

import { Ellipsis, Minus, Plus } from "lucide-react";
import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useContext, useState } from "react";
import { Button } from "@/components/ui/button";
import { copyText } from "@/components/ui/copy-text";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { showToast } from "@/components/ui/toasts";
import type { EventFilter, FieldRef } from "@/lib/events/filter/ast";
import { excludeValue, includeValue, onlyValue } from "@/lib/events/filter/edit";
import { serializeField } from "@/lib/events/filter/serialize";
import type { TimeRange } from "@/lib/events/filter/url";
import type { EventRow } from "@/lib/events/schema";
import { HIDDEN } from "@/lib/events/sight";
import { timelineHref } from "./participant";

export interface Pivot {
  field: FieldRef;
  value: string;
}

/** What can be done with a value of an event, where there is a list to do it to. */
export interface Pivots {
  organizationId: string;
  include(pivot: Pivot): void;
  exclude(pivot: Pivot): void;
  only(pivot: Pivot): void;
  addColumn?(field: FieldRef): void;
  showTime?(time: TimeRange): void;
}

/** Pivots that edit a filter, say so, and can be undone. */
export function filterPivots(
  filter: EventFilter,
  onFilter: (filter: EventFilter) => void,
): Pick<Pivots, "include" | "exclude" | "only"> {
  const editing = (edit: typeof includeValue, words: string) => (pivot: Pivot) => {
    onFilter(edit(filter, pivot.field, pivot.value));
    showToast(`Filter: ${serializeField(pivot.field)} ${words} ${pivot.value}`, () =>
      onFilter(filter),
    );
  };
  return {
    include: editing(includeValue, "is"),
    exclude: editing(excludeValue, "is not"),
    only: editing(onlyValue, "is only"),
  };
}

const Context = createContext<Pivots | null>(null);
export const PivotProvider = Context.Provider;

/** null where there is no list to pivot: on a timeline. */
export function usePivots(): Pivots | null {
  return useContext(Context);
}

/** Include and exclude, and everything else behind three dots; on a phone these alone, which have it all. */
export function PivotButtons(props: {
  pivot: Pivot;
  event: EventRow;
  label: string;
  hasMenu?: boolean;
}) {
  const pivots = usePivots();
  const { pivot, label } = props;
  if (!pivots || pivot.value === HIDDEN) return null;
  return (
    <>
      <Button
        variant="quiet"
        icon
        className="size-5 max-sm:hidden"
        aria-label={`Only ${label} ${pivot.value}`}
        title="Include (i)"
        onClick={() => pivots.include(pivot)}
      >
        <Plus size={12} aria-hidden="true" />
      </Button>
      <Button
        variant="quiet"
        icon
        className="size-5 max-sm:hidden"
        aria-label={`Without ${label} ${pivot.value}`}
        title="Exclude (e)"
        onClick={() => pivots.exclude(pivot)}
      >
        <Minus size={12} aria-hidden="true" />
      </Button>
      {props.hasMenu && (
        <Menu
          label={`More for ${label}`}
          align="end"
          trigger={
            <Button
              variant="quiet"
              icon
              className="size-5 max-sm:size-11"
              aria-label={`More for ${label} ${pivot.value}`}
            >
              <Ellipsis size={12} aria-hidden="true" />
            </Button>
          }
        >
          <PivotItems pivot={pivot} event={props.event} pivots={pivots} />
        </Menu>
      )}
    </>
  );
}

/** The same as a menu at a place of the page: a cell that the keyboard or the right button is on. */
export function PivotMenuAt(props: {
  place: DOMRect;
  pivot: Pivot | null;
  event: EventRow;
  /** Where the focus was. */
  origin: HTMLElement | null;
  onClose(): void;
}) {
  const pivots = usePivots();
  const { left, top, width, height } = props.place;
  return (
    <Menu
      label="What to do with the value"
      open
      onOpenChange={(isOpen) => !isOpen && props.onClose()}
      onCloseAutoFocus={(event) => {
        event.preventDefault();
        props.origin?.focus({ preventScroll: true });
      }}
      trigger={
        <span
          aria-hidden="true"
          className="pointer-events-none fixed"
          style={{ left, top, width, height }}
        />
      }
    >
      {pivots && <PivotItems pivot={props.pivot} event={props.event} pivots={pivots} />}
    </Menu>
  );
}

function PivotItems(props: { pivot: Pivot | null; event: EventRow; pivots: Pivots }): ReactNode {
  const { pivot, event, pivots } = props;
  const router = useRouter();
  const [target] = event.targets.filter(({ id }) => id === pivot?.value);
  const subject = target ?? event.targets[0];
  const around = (spanMs: number) => {
    const fromMs = Math.floor(Date.parse(event.occurredAt) / spanMs) * spanMs;
    const [from, to] = [fromMs, fromMs + spanMs].map((ms) => new Date(ms).toISOString());
    pivots.showTime?.({ kind: "absolute", from: from ?? null, to: to ?? null });
  };
  return (
    <>
      {pivot && (
        <>
          <MenuItem onSelect={() => pivots.include(pivot)}>Filter for this</MenuItem>
          <MenuItem onSelect={() => pivots.exclude(pivot)}>Exclude this</MenuItem>
          <MenuItem onSelect={() => pivots.only(pivot)}>
            Only this {serializeField(pivot.field)}
          </MenuItem>
          {pivots.addColumn && (
            <MenuItem onSelect={() => pivots.addColumn?.(pivot.field)}>Add as column</MenuItem>
          )}
          <MenuItem onSelect={() => void copyText(pivot.value, "the value")}>Copy value</MenuItem>
          <MenuSeparator />
        </>
      )}
      {event.actor.id !== HIDDEN && (
        <MenuItem
          onSelect={() => router.push(timelineHref(pivots.organizationId, "actor", event.actor))}
        >
          Actor’s timeline
        </MenuItem>
      )}
      {subject && subject.id !== HIDDEN && (
        <MenuItem
          onSelect={() => router.push(timelineHref(pivots.organizationId, "target", subject))}
        >
          Target’s timeline
        </MenuItem>
      )}
      {pivots.showTime && (
        <>
          <MenuItem onSelect={() => around(3_600_000)}>Same hour (UTC)</MenuItem>
          <MenuItem onSelect={() => around(86_400_000)}>Same day (UTC)</MenuItem>
        </>
      )}
    </>
  );
}

/** A menu that waits at a place until it is closed. */
export function usePivotMenu() {
  const [open, setOpen] = useState<Omit<Parameters<typeof PivotMenuAt>[0], "onClose"> | null>(null);
  return {
    openAt: (element: HTMLElement, pivot: Pivot | null, event: EventRow) =>
      setOpen({
        place: element.getBoundingClientRect(),
        pivot,
        event,
        origin: document.activeElement instanceof HTMLElement ? document.activeElement : null,
      }),
    menu: open && <PivotMenuAt {...open} onClose={() => setOpen(null)} />,
  };
}
