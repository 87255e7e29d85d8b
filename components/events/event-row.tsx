"use client";

import { type Cell, FlexRender } from "@tanstack/react-table";
import { memo, type ReactNode } from "react";
import type { TableLayout } from "@/lib/events/table-layout";
import { EventCard, type eventTableFeatures, type ListedEvent } from "./columns";
import { cellId, pinning } from "./grid-cells";
import { TrailCell } from "./trail-cell";
import type { TrailState } from "./trail-mark";
import type { Zone } from "./zone";

interface Props {
  event: ListedEvent;
  /** null on a small screen, which shows a card. */
  cells: readonly Cell<typeof eventTableFeatures, ListedEvent>[] | null;
  columns: TableLayout["columns"];
  index: number;
  isLast: boolean;
  /** The first below those that came in live. */
  isFirstOld: boolean;
  startPx: number;
  heightPx: number;
  template: string;
  zone: Zone;
  trail: TrailState;
  isOpen: boolean;
  isSelected: boolean;
  isSelecting: boolean;
  activeColumn: number | null;
  /** The cell that shows `tools`. */
  tooledColumn: number | null;
  tools: ReactNode;
  onSelect(event: ListedEvent, isRange: boolean): void;
}

/** One event in the grid; painted anew only when something about it changes. */
export const EventTableRow = memo(function EventTableRow(props: Props) {
  const { event, cells, columns, activeColumn } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows are virtual, which a table element cannot lay out.
    // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the one tab stop.
    <div
      id={`row-${event.id}`}
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={props.isSelected || props.isOpen || activeColumn !== null}
      data-testid="event-row"
      data-index={props.index}
      className={`group/row absolute inset-x-0 grid cursor-default items-center border-b border-(--border) bg-(--surface) pr-3 hover:bg-(--hover) aria-selected:bg-(--selected) max-sm:flex ${props.isFirstOld ? "border-t border-t-(--accent-line)" : ""}`}
      style={{
        transform: `translateY(${props.startPx}px)`,
        height: props.heightPx,
        gridTemplateColumns: props.template,
      }}
    >
      <TrailCell
        seq={event.seq}
        state={props.trail}
        isFirst={props.index === 0}
        isLast={props.isLast}
        isSelected={props.isSelected}
        isSelecting={props.isSelecting}
        onSelect={cells ? (isRange) => props.onSelect(event, isRange) : null}
      />
      {cells ? (
        cells.map((cell, column) => (
          // biome-ignore lint/a11y/useSemanticElements: as the row.
          // biome-ignore lint/a11y/useFocusableInteractive: as the row.
          <span
            key={cell.id}
            id={cellId(event.id, column)}
            role="gridcell"
            data-row={props.index}
            data-column={column}
            className={`flex h-full min-w-0 items-center pr-3 ${pinning(columns[column]?.id)} ${activeColumn === column ? "group-focus-visible/grid:shadow-[inset_0_0_0_1.5px_var(--focus-color)]" : ""}`}
          >
            <FlexRender cell={cell} />
            {props.tooledColumn === column && props.tools}
          </span>
        ))
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: as the row.
        // biome-ignore lint/a11y/useFocusableInteractive: as the row.
        <span role="gridcell" className="flex min-w-0 flex-1">
          <EventCard event={event} zone={props.zone} />
        </span>
      )}
    </div>
  );
});
