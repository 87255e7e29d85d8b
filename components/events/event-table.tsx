"use client";

import { useTable } from "@tanstack/react-table";
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { usePageProofs } from "@/components/integrity/use-page-proofs";
import { ROW_HEIGHTS_PX, type TableLayout } from "@/lib/events/table-layout";
import {
  createEventColumns,
  eventTableFeatures,
  gridTemplate,
  type ListedEvent,
  shownColumns,
} from "./columns";
import { EventTableRow } from "./event-row";
import { type ActiveCell, cellId } from "./grid-cells";
import { editByKey, TableHeader } from "./table-header";
import { checkedState } from "./trail-mark";
import { type ReadColumns, useColumnValues } from "./use-column-values";
import { useMedia } from "./use-media";
import { useZone, zoneOffset, zoneTitle } from "./zone";

const CARD_HEIGHT = 56;
const HEAD_HEIGHT = 32;
/** Rows left before an end of the list when the next page is asked for: about two screens. */
const PREFETCH_ROWS = 60;

interface Props {
  organizationId: string;
  gridRef: RefObject<HTMLDivElement | null>;
  /** Where the list was scrolled to when it was last left. */
  visit: { scrollTop: number };
  /** null: let go of, and on its way again. */
  rows: (ListedEvent | null)[];
  /** Rows that came in above since the first paint: what is on screen stays where it is. */
  above: number;
  /** The first so many rows came in live; a line parts them from the rest. */
  liveCount: number;
  layout: TableLayout;
  onLayout(layout: TableLayout): void;
  /** Highest sequence number that a verification proved; null: none yet. */
  verifiedTo: number | null;
  active: ActiveCell;
  openId: string | null;
  selected: ReadonlySet<string>;
  isLoading: boolean;
  readColumns: ReadColumns;
  onOpen(event: ListedEvent): void;
  onActive(cell: ActiveCell): void;
  /** Marks a row as chosen or not; with `isRange`, all from the one marked last. */
  onSelect(event: ListedEvent, isRange: boolean): void;
  /** Keys that act on a cell: `i`, `e`, `.`; false when the key means nothing here. */
  onCellKey(
    key: string,
    event: ListedEvent,
    columnId: string,
    cell: HTMLElement | null,
    value?: string | null,
  ): boolean;
  onCellMenu(event: ListedEvent, columnId: string, cell: HTMLElement, value?: string | null): void;
  /** Buttons over the cell under the mouse or the keyboard. */
  cellTools(event: ListedEvent, columnId: string, value?: string | null): ReactNode;
  onNearEnd(): void;
  onNearStart(): void;
  onShown(firstIndex: number, lastIndex: number): void;
  /** What stands above the first row and below the last one. */
  start: ReactNode;
  end: ReactNode;
}

const STEPS: Record<string, number> = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  PageDown: 20,
  PageUp: -20,
};

/** The events as a grid with one tab stop: arrows or j/k move, Enter opens. */
export function EventTable(props: Props) {
  const { rows, layout, active, gridRef: scroll, visit, onNearEnd, onNearStart, onShown } = props;
  const zone = useZone();
  const isSmall = useMedia("(max-width: 639px)");
  const [hovered, setHovered] = useState<ActiveCell>({ row: null, column: 0 });
  const columns = useMemo(
    () => shownColumns(layout, props.openId !== null),
    [layout, props.openId],
  );
  const rowHeight = isSmall ? CARD_HEIGHT : ROW_HEIGHTS_PX[layout.density];
  const activeIndex = useMemo(
    () => rows.findIndex((row) => row?.id === active.row),
    [rows, active.row],
  );
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    // The head stands before the first row.
    scrollPaddingEnd: isSmall ? 0 : HEAD_HEIGHT,
    initialOffset: visit.scrollTop,
    // The row that the keyboard is on stays, wherever the mouse scrolled to.
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (activeIndex < 0 || indexes.includes(activeIndex)) return indexes;
      return [...indexes, activeIndex].sort((left, right) => left - right);
    },
  });
  const items = virtualizer.getVirtualItems();
  const shownFrom = virtualizer.range?.startIndex ?? 0;
  const shownTo = virtualizer.range?.endIndex ?? 0;

  const shownIndexes = items.map(({ index }) => index).join();
  const data = useMemo(
    () => shownIndexes.split(",").flatMap((index) => rows[Number(index)] ?? []),
    [rows, shownIndexes],
  );
  const seals = usePageProofs(
    props.organizationId,
    data.map(({ seq }) => seq),
  );
  const offsets = useMemo(
    () => [...new Set(data.map(({ occurredAt }) => zoneOffset(zone, occurredAt)))],
    [data, zone],
  );
  const hasOffsets = offsets.length > 1;
  const zoneLabel = hasOffsets ? zoneTitle(zone) : (offsets[0] ?? zoneTitle(zone));
  const values = useColumnValues(isSmall ? [] : columns, data, props.readColumns);
  const { cellValue } = values;
  const definitions = useMemo(
    () => createEventColumns(columns, { zone, zoneLabel, hasOffsets }, cellValue),
    [columns, zone, zoneLabel, hasOffsets, cellValue],
  );
  const table = useTable({
    features: eventTableFeatures,
    columns: definitions,
    data,
    getRowId: (row) => row.id,
  });
  const { rowsById } = table.getRowModel();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height decides.
  useEffect(() => virtualizer.measure(), [rowHeight]);

  // What came in above moves everything down: the view goes with it.
  const above = useRef(props.above);
  useLayoutEffect(() => {
    const added = props.above - above.current;
    above.current = props.above;
    if (added > 0 && scroll.current) scroll.current.scrollTop += added * rowHeight;
  }, [props.above, rowHeight, scroll]);

  useEffect(() => {
    if (rows.length > 0 && shownTo >= rows.length - PREFETCH_ROWS) onNearEnd();
    if (rows.length > 0 && shownFrom <= PREFETCH_ROWS / 2) onNearStart();
    onShown(shownFrom, shownTo);
  }, [shownFrom, shownTo, rows.length, onNearEnd, onNearStart, onShown]);

  const openIndex = useMemo(
    () => (props.openId ? rows.findIndex((row) => row?.id === props.openId) : -1),
    [rows, props.openId],
  );
  // Stepping in the drawer takes the list along.
  useEffect(() => {
    if (openIndex >= 0) virtualizer.scrollToIndex(openIndex);
  }, [openIndex, virtualizer]);

  const move = (step: number) => {
    const index = Math.min(Math.max(activeIndex + step, -1), rows.length - 1);
    if (index < 0) return props.onActive({ ...active, row: step === -1 ? "head" : null });
    const row = rows[index];
    virtualizer.scrollToIndex(index);
    if (row) props.onActive({ ...active, row: row.id });
  };

  const moveAcross = (step: number) => {
    const column = Math.min(Math.max(active.column + step, 0), columns.length - 1);
    props.onActive({ row: active.row ?? rows[0]?.id ?? null, column });
    // A cell beyond the edge comes into view.
    document
      .getElementById(cellId(active.row ?? "", column))
      ?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  const onHeadKey = (event: KeyboardEvent, columnId: string): boolean => {
    const width = document.getElementById(cellId("head", active.column))?.offsetWidth ?? 120;
    const edit = editByKey(event, layout, columnId, width);
    if (!edit) return false;
    props.onLayout(edit.layout);
    props.onActive({ ...active, column: Math.max(active.column + edit.by, 0) });
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.target !== event.currentTarget) return;
    const columnId = columns[active.column]?.id ?? "time";
    const step = STEPS[event.key];
    const row = rows[activeIndex];
    if (active.row === "head" && onHeadKey(event, columnId)) event.preventDefault();
    else if (event.altKey) return;
    else if (step !== undefined) move(active.row === "head" ? Math.max(step, 0) : step);
    else if (event.key === "ArrowLeft") moveAcross(-1);
    else if (event.key === "ArrowRight") moveAcross(1);
    else if (event.key === "Home") move(-activeIndex);
    else if (event.key === "End") move(rows.length);
    else if (event.key === "Enter" && row) props.onOpen(row);
    else if (event.key.toLowerCase() === "x" && row) props.onSelect(row, event.shiftKey);
    else if (
      !row ||
      !props.onCellKey(
        event.key,
        row,
        columnId,
        document.getElementById(cellId(row.id, active.column)),
        cellValue(columnId, row),
      )
    )
      return;
    event.preventDefault();
  };

  const placeOf = (
    event: MouseEvent,
  ): { row: ListedEvent; column: number; cell: HTMLElement } | null => {
    const cell = (event.target as HTMLElement).closest<HTMLElement>("[data-column]");
    const row = rows[Number(cell?.dataset.row)];
    return cell && row ? { row, column: Number(cell.dataset.column), cell } : null;
  };

  const tools = (event: ListedEvent, columnId: string) => (
    // biome-ignore lint/a11y/noStaticElementInteractions: a press on a tool does not open the event.
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
    <span className="contents" onClick={(click) => click.stopPropagation()}>
      {props.cellTools(event, columnId, cellValue(columnId, event))}
    </span>
  );

  // Rows stay as they are while what is done with them changes.
  const onSelect = useRef(props.onSelect);
  useLayoutEffect(() => {
    onSelect.current = props.onSelect;
  });
  const select = useCallback(
    (event: ListedEvent, isRange: boolean) => onSelect.current(event, isRange),
    [],
  );

  const template = gridTemplate(columns, hasOffsets);
  const activeId =
    active.row === "head" || activeIndex >= 0
      ? isSmall
        ? `row-${active.row}`
        : cellId(active.row as string, active.column)
      : undefined;
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {props.isLoading && (
        <div className="absolute inset-x-0 top-0 z-20 h-0.5 overflow-hidden bg-(--sunken)">
          <div className="h-full w-1/3 animate-pulse bg-(--accent-line)" />
        </div>
      )}
      {values.failure && (
        <p role="alert" className="border-b border-(--border) px-4 py-1.5 text-(--in-fetch)">
          Could not load the added columns. {values.failure.message}{" "}
          {values.failure.requestId && `Request ${values.failure.requestId}. `}
          <button type="button" className="underline" onClick={values.retry}>
            Retry
          </button>
        </p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: rows are virtual, which a table element cannot lay out. */}
      <div
        ref={scroll}
        role="grid"
        aria-label="Events"
        aria-rowcount={-1}
        aria-activedescendant={activeId}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={(event) => {
          visit.scrollTop = event.currentTarget.scrollTop;
        }}
        onPointerOver={(event) => {
          const place = placeOf(event);
          const [row, column] = place ? [place.row.id, place.column] : [null, 0];
          if (row !== hovered.row || column !== hovered.column) setHovered({ row, column });
        }}
        onPointerLeave={() => setHovered({ row: null, column: 0 })}
        onClick={(event) => {
          const element = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
          const row = rows[Number(element?.dataset.index)];
          if (!element || !row) return;
          const place = placeOf(event);
          if (place) props.onActive({ row: row.id, column: place.column });
          if (event.shiftKey) props.onSelect(row, true);
          else props.onOpen(row);
        }}
        onContextMenu={(event) => {
          const place = placeOf(event);
          const id = place && columns[place.column]?.id;
          if (!place || !id || isSmall) return;
          event.preventDefault();
          props.onActive({ row: place.row.id, column: place.column });
          props.onCellMenu(place.row, id, place.cell, cellValue(id, place.row));
        }}
        className={`group/grid min-h-0 flex-1 overflow-auto outline-0 focus-visible:rounded-none ${activeId ? "" : "focus-visible:shadow-(--focus-inset)"}`}
      >
        {!isSmall && (
          <TableHeader
            columns={columns}
            labels={definitions.map(({ header }) => String(header))}
            template={template}
            layout={layout}
            onLayout={props.onLayout}
            activeColumn={active.row === "head" ? active.column : null}
          />
        )}
        {props.start}
        {/* biome-ignore lint/a11y/useSemanticElements: as the grid. */}
        <div
          role="rowgroup"
          className={isSmall ? "relative" : "relative min-w-max lg:min-w-full"}
          style={{ height: virtualizer.getTotalSize() }}
        >
          {items.map((item) => {
            const event = rows[item.index];
            const place = { transform: `translateY(${item.start}px)`, height: rowHeight };
            if (!event)
              return (
                <div
                  key={item.key}
                  className="absolute inset-x-0 border-b border-(--border)"
                  style={place}
                >
                  <span className="ml-12 inline-block h-2 w-40 rounded-full bg-(--sunken)" />
                </div>
              );
            const isActive = event.id === active.row;
            const tooled =
              event.id === hovered.row ? hovered.column : isActive ? active.column : null;
            return (
              <EventTableRow
                key={event.id}
                event={event}
                cells={isSmall ? null : (rowsById[event.id]?.getAllCells() ?? [])}
                columns={columns}
                index={item.index}
                isLast={item.index === rows.length - 1}
                isFirstOld={props.liveCount > 0 && item.index === props.liveCount}
                startPx={item.start}
                heightPx={rowHeight}
                template={template}
                zone={zone}
                trail={seals.get(event.seq) ?? checkedState(event.seq, props.verifiedTo)}
                isOpen={event.id === props.openId}
                isSelected={props.selected.has(event.id)}
                isSelecting={props.selected.size > 0}
                activeColumn={isActive ? active.column : null}
                tooledColumn={tooled}
                tools={tooled === null ? null : tools(event, columns[tooled]?.id ?? "")}
                onSelect={select}
              />
            );
          })}
        </div>
        <div className="sticky left-0 px-4 py-3 text-[12px] text-(--text-3)">{props.end}</div>
      </div>
    </div>
  );
}
