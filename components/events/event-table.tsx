"use client";

import { useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useMemo } from "react";
import type { EventRow } from "@/lib/events/schema";
import { createEventColumns, EventCard, eventTableFeatures, gridTemplate } from "./columns";
import { TrailMark } from "./trail-mark";
import { useMedia } from "./use-media";
import { useZone, zoneOffset, zoneTitle } from "./zone";

const ROW_HEIGHT = 28;
const CARD_HEIGHT = 56;
/** Rows left below the last one in view when the next page is asked for. */
const PREFETCH_ROWS = 60;

interface Props {
  gridRef: RefObject<HTMLDivElement | null>;
  /** Where the list was scrolled to when it was last left. */
  visit: { scrollTop: number };
  rows: EventRow[];
  /** Highest sequence number that a verification proved; null: none yet. */
  verifiedTo: number | null;
  selectedId: string | null;
  isDrawerOpen: boolean;
  isLoading: boolean;
  onOpen(event: EventRow): void;
  onActive(event: EventRow): void;
  onNearEnd(): void;
  /** What stands below the last row. */
  end: ReactNode;
}

/** The events as a grid with one tab stop: arrows or j/k move, Enter opens. */
export function EventTable(props: Props) {
  const { rows, onNearEnd } = props;
  const zone = useZone();
  const isSmall = useMedia("(max-width: 639px)");
  const { gridRef: scroll, visit, isDrawerOpen: isNarrow } = props;
  const offsets = useMemo(
    () => [...new Set(rows.map(({ occurredAt }) => zoneOffset(zone, occurredAt)))],
    [rows, zone],
  );
  const hasOffsets = offsets.length > 1;
  const zoneLabel = hasOffsets ? zoneTitle(zone) : (offsets[0] ?? zoneTitle(zone));
  const columns = useMemo(
    () => createEventColumns({ zone, zoneLabel, hasOffsets, isNarrow }),
    [zone, zoneLabel, hasOffsets, isNarrow],
  );
  const table = useTable({
    features: eventTableFeatures,
    columns,
    data: rows,
    getRowId: (row) => row.id,
  });
  const tableRows = table.getRowModel().rows;
  const rowHeight = isSmall ? CARD_HEIGHT : ROW_HEIGHT;
  const virtualizer = useVirtualizer({
    count: tableRows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    initialOffset: visit.scrollTop,
  });
  const items = virtualizer.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height decides.
  useEffect(() => virtualizer.measure(), [rowHeight]);

  useEffect(() => {
    if (rows.length > 0 && lastShown >= rows.length - PREFETCH_ROWS) onNearEnd();
  }, [lastShown, rows.length, onNearEnd]);

  const activeIndex = rows.findIndex((row) => row.id === props.selectedId);

  const move = (step: number) => {
    const index = Math.min(
      Math.max((activeIndex < 0 ? -1 : activeIndex) + step, 0),
      rows.length - 1,
    );
    const row = rows[index];
    if (!row) return;
    virtualizer.scrollToIndex(index);
    props.onActive(row);
  };

  const STEPS: Record<string, number> = {
    ArrowDown: 1,
    j: 1,
    ArrowUp: -1,
    k: -1,
    PageDown: 20,
    PageUp: -20,
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const step = STEPS[event.key];
    const active = rows[activeIndex];
    if (step !== undefined) move(step);
    else if (event.key === "Home") move(-rows.length);
    else if (event.key === "Enter" && active) props.onOpen(active);
    else return;
    event.preventDefault();
  };

  const template = gridTemplate({ hasOffsets, isNarrow });
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {props.isLoading && (
        <div className="absolute inset-x-0 top-0 z-20 h-0.5 overflow-hidden bg-(--sunken)">
          <div className="h-full w-1/3 animate-pulse bg-(--accent-line)" />
        </div>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: rows are virtual, which a table element cannot lay out. */}
      <div
        ref={scroll}
        role="grid"
        aria-label="Events"
        aria-rowcount={-1}
        aria-activedescendant={activeIndex >= 0 ? `row-${rows[activeIndex]?.id}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={(event) => {
          visit.scrollTop = event.currentTarget.scrollTop;
        }}
        className="min-h-0 flex-1 overflow-auto outline-0 focus-visible:rounded-none focus-visible:shadow-(--focus-inset)"
      >
        {!isSmall &&
          table.getHeaderGroups().map((group) => (
            // biome-ignore lint/a11y/useSemanticElements: as the grid.
            // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the one tab stop.
            <div
              key={group.id}
              role="row"
              aria-rowindex={1}
              className="sticky top-0 z-10 grid h-8 min-w-max items-center border-b border-(--border-strong) bg-(--surface) pr-3 text-[12px] text-(--text-3) lg:min-w-0"
              style={{ gridTemplateColumns: template }}
            >
              {/* biome-ignore lint/a11y/useSemanticElements: as the grid. */}
              {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
              <span role="columnheader">
                <span className="sr-only">Integrity</span>
              </span>
              {group.headers.map((header) => (
                // biome-ignore lint/a11y/useSemanticElements: as the grid.
                // biome-ignore lint/a11y/useFocusableInteractive: as the row.
                <span
                  key={header.id}
                  role="columnheader"
                  className="truncate pr-3"
                  suppressHydrationWarning
                >
                  <table.FlexRender header={header} />
                </span>
              ))}
            </div>
          ))}
        <div
          className="relative min-w-max lg:min-w-0 max-sm:min-w-0"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {items.map((item) => {
            const row = tableRows[item.index];
            if (!row) return null;
            const event = row.original;
            const mark = (
              <TrailMark
                isVerified={props.verifiedTo !== null && event.seq <= props.verifiedTo}
                isFirst={item.index === 0}
                isLast={item.index === rows.length - 1}
              />
            );
            return (
              // biome-ignore lint/a11y/useSemanticElements: as the grid.
              // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the one tab stop.
              // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys.
              <div
                key={row.id}
                id={`row-${event.id}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={event.id === props.selectedId}
                data-testid="event-row"
                onClick={() => props.onOpen(event)}
                className="absolute inset-x-0 grid cursor-default items-center border-b border-(--border) pr-3 hover:bg-(--hover) aria-selected:bg-(--selected) max-sm:flex"
                style={{
                  transform: `translateY(${item.start}px)`,
                  height: rowHeight,
                  gridTemplateColumns: template,
                }}
              >
                {/* biome-ignore lint/a11y/useSemanticElements: as the grid. */}
                {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
                <span role="gridcell" className="h-full">
                  {mark}
                </span>
                {isSmall ? (
                  // biome-ignore lint/a11y/useSemanticElements: as the grid.
                  // biome-ignore lint/a11y/useFocusableInteractive: as the row.
                  <span role="gridcell" className="flex min-w-0 flex-1">
                    <EventCard event={event} zone={zone} />
                  </span>
                ) : (
                  row.getAllCells().map((cell) => (
                    // biome-ignore lint/a11y/useSemanticElements: as the grid.
                    // biome-ignore lint/a11y/useFocusableInteractive: as the row.
                    <span key={cell.id} role="gridcell" className="flex min-w-0 items-center pr-3">
                      <table.FlexRender cell={cell} />
                    </span>
                  ))
                )}
              </div>
            );
          })}
        </div>
        <div className="px-4 py-3 text-[12px] text-(--text-3)">{props.end}</div>
      </div>
    </div>
  );
}
