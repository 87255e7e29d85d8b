"use client";

import { type PointerEvent, useState } from "react";
import {
  moveColumn,
  removeColumn,
  resizeColumn,
  type TableLayout,
} from "@/lib/events/table-layout";
import { cellId, pinning } from "./grid-cells";

interface Props {
  columns: TableLayout["columns"];
  labels: string[];
  template: string;
  layout: TableLayout;
  onLayout(layout: TableLayout): void;
  /** Where the keyboard is, when it is in the head. */
  activeColumn: number | null;
}

/** Column heads: drag one to move it, its edge to resize it; a double click on the edge fits the cells. */
export function TableHeader(props: Props) {
  const { columns, layout, onLayout } = props;
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const indexOf = (id: string) => layout.columns.findIndex((column) => column.id === id);

  const drop = (target: string) => {
    if (dragged && dragged !== target)
      onLayout(moveColumn(layout, dragged, indexOf(target) - indexOf(dragged)));
    setDragged(null);
    setOver(null);
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a virtual grid is no table element.
    // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the one tab stop.
    <div
      role="row"
      aria-rowindex={1}
      className="sticky top-0 z-10 grid h-8 min-w-max items-center border-b border-(--border-strong) bg-(--surface) pr-3 text-[12px] text-(--text-3) lg:min-w-full"
      style={{ gridTemplateColumns: props.template }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: as the row. */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
      <span role="columnheader" className="sticky left-0 z-[1] h-full bg-inherit">
        <span className="sr-only">Integrity</span>
      </span>
      {columns.map(({ id }, column) => (
        // biome-ignore lint/a11y/useSemanticElements: as the row.
        // biome-ignore lint/a11y/useFocusableInteractive: as the row.
        <span
          key={id}
          id={cellId("head", column)}
          role="columnheader"
          aria-description="Alt and an arrow key move the column, Shift and an arrow key resize it, Delete hides it"
          draggable
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = "move";
            setDragged(id);
          }}
          onDragOver={(event) => {
            if (!dragged) return;
            event.preventDefault();
            setOver(id);
          }}
          onDragEnd={() => drop("")}
          onDrop={() => drop(id)}
          className={`flex h-full min-w-0 items-center pr-3 ${pinning(id)} ${over === id && dragged !== id ? "bg-(--selected)" : ""} ${props.activeColumn === column ? "group-focus-visible/grid:shadow-[inset_0_0_0_1.5px_var(--focus-color)]" : ""}`}
        >
          <span className="truncate">{props.labels[column]}</span>
          <ResizeHandle
            onResize={(widthPx) => onLayout(resizeColumn(layout, id, widthPx))}
            onFit={(grid) => onLayout(resizeColumn(layout, id, fittingWidth(grid, column)))}
          />
        </span>
      ))}
    </div>
  );
}

const RESIZE_STEP_PX = 16;

/**
 * What a key on a head does: Alt and an arrow move the column, Shift and an arrow resize it, Delete hides it.
 * @returns the layout then, and by how many columns the keyboard moves along; null for any other key
 */
export function editByKey(
  event: Pick<KeyboardEvent, "key" | "altKey" | "shiftKey">,
  layout: TableLayout,
  columnId: string,
  widthPx: number,
): { layout: TableLayout; by: number } | null {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  if (event.altKey && by !== 0) return { layout: moveColumn(layout, columnId, by), by };
  if (event.shiftKey && by !== 0)
    return { layout: resizeColumn(layout, columnId, widthPx + by * RESIZE_STEP_PX), by: 0 };
  return event.key === "Delete" ? { layout: removeColumn(layout, columnId), by: 0 } : null;
}

/** What the widest cell on screen would like, its edges included. */
function fittingWidth(grid: HTMLElement, column: number): number {
  const cells = [...grid.querySelectorAll<HTMLElement>(`[data-column="${column}"]`)];
  const widths = cells.map((cell) => {
    const inner = [cell, ...cell.querySelectorAll<HTMLElement>("*")];
    return Math.max(...inner.map((part) => part.scrollWidth + cutOff(part)));
  });
  return Math.max(...widths, 0) + 16;
}

/** Letters that an ellipsis hides, and what stands before the text. */
function cutOff(part: HTMLElement): number {
  const parent = part.parentElement;
  return parent ? part.getBoundingClientRect().left - parent.getBoundingClientRect().left : 0;
}

function ResizeHandle(props: { onResize(widthPx: number): void; onFit(grid: HTMLElement): void }) {
  const onPointerDown = (event: PointerEvent<HTMLSpanElement>) => {
    const handle = event.currentTarget;
    const head = handle.parentElement;
    if (!head) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const startPx = event.clientX;
    const widthPx = head.offsetWidth;
    handle.onpointermove = (move) => props.onResize(widthPx + move.clientX - startPx);
    handle.onpointerup = () => {
      handle.onpointermove = null;
    };
  };
  return (
    <span
      aria-hidden="true"
      // Not the column's own drag.
      draggable
      onDragStart={(event) => {
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={onPointerDown}
      onDoubleClick={(event) => {
        const grid = event.currentTarget.closest<HTMLElement>('[role="grid"]');
        if (grid) props.onFit(grid);
      }}
      className="absolute top-1.5 right-0.5 bottom-1.5 w-2 cursor-col-resize touch-none border-r border-(--border) hover:border-(--border-control)"
    />
  );
}
