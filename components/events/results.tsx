"use client";

import dynamic from "next/dynamic";
import { type ReactNode, useCallback, useRef, useState } from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import { copyText } from "@/components/ui/copy-text";
import { showToast } from "@/components/ui/toasts";
import type { EventFilter } from "@/lib/events/filter/ast";
import { type EventSearch, type TimeRange, toSearchParams } from "@/lib/events/filter/url";
import type { EventDetail } from "@/lib/events/schema";
import { addColumn, columnIdOf, MAX_COLUMNS } from "@/lib/events/table-layout";
import { cellPivot, type ListedEvent } from "./columns";
import { ColumnsMenu } from "./columns-menu";
import { EventTable } from "./event-table";
import { countWords, type ExplorerActions } from "./explorer";
import type { ActiveCell } from "./grid-cells";
import { EventDrawer, preloadDrawer } from "./lazy-drawer";
import { ListEnd, ListStart } from "./list-states";
import { TailNotice } from "./live-toggle";
import { useOpenView } from "./open-view";
import { filterPivots, PivotButtons, PivotProvider, type Pivots, usePivotMenu } from "./pivots";
import { TrailDot } from "./trail-mark";
import { type Page, type PagePosition, useEventList, visitOf } from "./use-event-list";
import type { LiveTail } from "./use-live-tail";
import { useOpenEvent } from "./use-open-event";
import { useSelection } from "./use-selection";
import { layoutName, useTableLayout } from "./use-table-layout";
import { usePauseWhileReading, useTailedRows } from "./use-tailed-list";

const loading = () => null;
const NoMatch = dynamic(() => import("./no-match").then((module) => module.NoMatch), { loading });
const SelectionBar = dynamic(
  () => import("./selection-bar").then((module) => module.SelectionBar),
  { loading },
);

interface ResultsProps {
  organizationId: string;
  detail: EventDetail | null;
  verifiedTo: number | null;
  showsDeliveries: boolean;
  actions: ExplorerActions;
  search: EventSearch;
  first: Page;
  tail: LiveTail;
  isNavigating: boolean;
  /** Stands over the list, beside the drawer. */
  above?: ReactNode;
  onFilter(filter: EventFilter): void;
  onTime(time: TimeRange): void;
  onRefresh(): void;
}

const GROUP = "Events";

/** The list of one search, endless, and the drawer beside it. */
export function Results(props: ResultsProps) {
  const { organizationId, search, first, actions, tail } = props;
  const event = useOpenEvent(organizationId, actions.read, props.detail);
  const { openId, openedId, open: openEvent } = event;
  const query = toSearchParams({ ...search, event: null, after: null, before: null }).toString();
  const load = useCallback(
    (from: PagePosition) => actions.list(organizationId, query, from),
    [actions, organizationId, query],
  );
  const list = useEventList(first, load);
  const { next } = list;
  const rows = useTailedRows(tail, list.rows);
  const liveCount = tail.rows.length;
  const visit = visitOf(first);
  const grid = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<ActiveCell>({ row: openId, column: 0 });
  const selection = useSelection(rows);
  const { view } = useOpenView();
  const { layout, setLayout, isChanged } = useTableLayout(layoutName(view), view?.layout);
  const watch = usePauseWhileReading(tail, {
    hasSelection: selection.ids.size > 0,
    isDrawerOpen: openId !== null,
  });

  const readColumns = useCallback(
    (keys: { seq: number; recordedAt: string }[], columns: string[]) =>
      actions.readColumns(organizationId, keys, columns),
    [actions, organizationId],
  );
  const { mayPrefetch, loadOlder, loadNewer, previous, failure } = list;
  const onNearEnd = useCallback(() => {
    if (mayPrefetch) void loadOlder();
  }, [mayPrefetch, loadOlder]);
  const onNearStart = useCallback(() => {
    if (previous && !failure) void loadNewer();
  }, [previous, failure, loadNewer]);

  const open = (id: string | null) => {
    openEvent(id);
    if (id) setActive((now) => ({ ...now, row: id }));
    // The drawer takes the focus with it when it goes.
    else grid.current?.focus({ preventScroll: true });
  };

  const position = rows.findIndex((row) => row?.id === openId);
  const step = (by: 1 | -1) => {
    // Keys may come faster than the address is painted.
    const at = rows.findIndex((row) => row?.id === openedId.current) + by;
    const row = rows[at];
    if (row) open(row.id);
    if (at >= rows.length - 1) void loadOlder();
  };

  const edits = filterPivots(search.filter, props.onFilter);
  const pivots: Pivots = {
    organizationId,
    ...edits,
    addColumn: (field) => {
      const id = columnIdOf(field);
      const next = addColumn(layout, id);
      setLayout(next);
      showToast(
        next !== layout
          ? `Column added: ${id}`
          : layout.columns.length < MAX_COLUMNS
            ? `${id} is a column already`
            : `A table has ${MAX_COLUMNS} columns at most`,
      );
    },
    showTime: props.onTime,
  };
  const { openAt, menu } = usePivotMenu();

  const onCellKey = (
    key: string,
    event: ListedEvent,
    columnId: string,
    cell: HTMLElement | null,
    value?: string | null,
  ) => {
    const found = cellPivot(columnId, event, value);
    if (key === "i" && found) edits.include(found);
    else if (key === "e" && found) edits.exclude(found);
    else if (key === "." && cell) openAt(cell, found, event);
    else if (key === "c") void copyText(event.id, "the id");
    else return false;
    return true;
  };

  /** Keys of the grid work from anywhere on the page. */
  const toGrid = (event: KeyboardEvent) => {
    if (document.activeElement === grid.current) return false;
    grid.current?.focus({ preventScroll: true });
    grid.current?.dispatchEvent(
      new KeyboardEvent("keydown", { key: event.key, shiftKey: event.shiftKey, bubbles: true }),
    );
  };
  useShortcuts([
    { keys: "j", label: "Next event", group: GROUP, run: toGrid },
    { keys: "k", label: "Previous event", group: GROUP, run: toGrid },
    { keys: "Enter", label: "Open the event", group: GROUP, run: () => false },
    { keys: "x", label: "Select the event", group: GROUP, run: toGrid },
    { keys: "X", label: "Select from the last selected one to here", group: GROUP, run: toGrid },
    { keys: "i", label: "Include the cell's value", group: GROUP, run: toGrid },
    { keys: "e", label: "Exclude the cell's value", group: GROUP, run: toGrid },
    { keys: ".", label: "What to do with the cell's value", group: GROUP, run: toGrid },
    { keys: "c", label: "Copy the event's id", group: GROUP, run: toGrid },
    { keys: "r", label: "Refresh", group: GROUP, run: props.onRefresh },
    {
      keys: "Escape",
      label: "Close the event",
      group: GROUP,
      run: () => (openedId.current ? open(null) : false),
    },
  ]);

  return (
    <PivotProvider value={pivots}>
      <div className="flex min-h-0 min-w-0 flex-1">
        <div
          className="relative flex min-h-0 min-w-0 flex-1 flex-col"
          {...watch}
          onPointerOverCapture={preloadDrawer}
          onFocusCapture={preloadDrawer}
        >
          {props.above}
          <TailNotice
            tail={tail}
            onTake={() => {
              tail.take();
              grid.current?.scrollTo({ top: 0 });
            }}
            onReload={props.onRefresh}
          />
          {rows.length === 0 && !next && !previous ? (
            <NoMatch
              organizationId={organizationId}
              search={search}
              onFilter={props.onFilter}
              onTime={props.onTime}
            />
          ) : (
            <EventTable
              organizationId={organizationId}
              gridRef={grid}
              visit={visit}
              rows={rows}
              above={list.above}
              liveCount={liveCount}
              layout={layout}
              onLayout={setLayout}
              verifiedTo={props.verifiedTo}
              active={active}
              openId={openId}
              selected={selection.ids}
              isLoading={list.loading !== null || props.isNavigating}
              readColumns={readColumns}
              onOpen={(event) => open(event.id)}
              onActive={(cell) => {
                setActive(cell);
                if (openedId.current && cell.row && cell.row !== "head") open(cell.row);
              }}
              onSelect={selection.toggle}
              onCellKey={onCellKey}
              onCellMenu={(event, columnId, cell, value) =>
                openAt(cell, cellPivot(columnId, event, value), event)
              }
              cellTools={(event, columnId, value) => {
                const found = cellPivot(columnId, event, value);
                return (
                  found && (
                    <span className="absolute right-1 flex rounded-[3px] bg-(--surface)">
                      <PivotButtons pivot={found} event={event} label={columnId} />
                    </span>
                  )
                );
              }}
              onNearEnd={onNearEnd}
              onNearStart={onNearStart}
              onShown={(from, to) => list.keep(from - liveCount, to - liveCount)}
              start={<ListStart previous={previous} />}
              end={
                <ListEnd
                  page={{ next, searchedTo: list.searchedTo }}
                  failure={failure}
                  isLoading={list.loading !== null}
                  count={rows.length}
                  isWhole={search.filter.clauses.length === 0 && search.time.kind === "all"}
                  onContinue={loadOlder}
                />
              }
            />
          )}
          <div className="flex h-8 shrink-0 items-center gap-4 overflow-hidden border-t border-(--border) px-4 text-[12px] text-(--text-2)">
            <p role="status" data-testid="row-count" className="whitespace-nowrap">
              {countWords(rows.length, next !== null || previous !== null)}
            </p>
            {selection.ids.size > 0 ? (
              <SelectionBar
                ids={[...selection.ids]}
                copy={(ids, format) => actions.copy(organizationId, ids, format)}
                onClear={selection.clear}
              />
            ) : (
              props.verifiedTo !== null && (
                <span className="flex items-center gap-1.5 whitespace-nowrap text-(--in-verified)">
                  <TrailDot state="verified" />
                  Verified to #{props.verifiedTo.toLocaleString("en-US")}
                </span>
              )
            )}
            <span className="ml-auto">
              <ColumnsMenu
                layout={layout}
                isChanged={isChanged}
                onChange={setLayout}
                onReset={() => setLayout(null)}
              />
            </span>
          </div>
        </div>
        {openId && (
          <EventDrawer
            state={event.detail}
            position={position < 0 ? "" : `${position + 1} of ${rows.length}${next ? "+" : ""}`}
            verifiedTo={props.verifiedTo}
            showsDeliveries={props.showsDeliveries}
            onStep={step}
            onRetry={event.retry}
            onClose={() => open(null)}
          />
        )}
      </div>
      {menu}
    </PivotProvider>
  );
}
