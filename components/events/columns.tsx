"use client";

import { createColumnHelper, tableFeatures } from "@tanstack/react-table";
import type { ReactNode } from "react";
import type { FieldRef } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import type { EventRow, Participant } from "@/lib/events/schema";
import { HIDDEN } from "@/lib/events/sight";
import {
  type ColumnId,
  columnField,
  isColumnId,
  type TableLayout,
} from "@/lib/events/table-layout";
import { ActionGlyph } from "./action-glyph";
import { columnLabel } from "./column-label";
import { participantName, TypeIcon } from "./participant";
import { Shown } from "./shown";
import { clockOf, type Zone, zoneOffset } from "./zone";

/** The grid only lays out what the server sorted, filtered and paged. */
export const eventTableFeatures = tableFeatures({});

/** A row of the list, and whether it arrived after newer ones (live rows alone know). */
export type ListedEvent = EventRow & { isLate?: boolean };

const helper = createColumnHelper<typeof eventTableFeatures, ListedEvent>();

export interface TableLook {
  zone: Zone;
  /** What the head of the time column says about the zone. */
  zoneLabel: string;
  /** The rows differ in offset, so each says its own. */
  hasOffsets: boolean;
}

/** Columns that leave first where the drawer takes their room. */
const LEAVING: readonly string[] = ["seq", "ip"] satisfies ColumnId[];

/** The columns on screen: with the drawer open, those keep that it does not say at a glance. */
export function shownColumns(layout: TableLayout, isNarrow: boolean): TableLayout["columns"] {
  return isNarrow ? layout.columns.filter(({ id }) => !LEAVING.includes(id)) : layout.columns;
}

const WIDTHS: Record<ColumnId, string> = {
  seq: "76px",
  time: "180px",
  actor: "minmax(120px,1.1fr)",
  action: "minmax(150px,1.4fr)",
  target: "minmax(120px,1.4fr)",
  ip: "132px",
  received: "180px",
};

const TRAIL_PX = 32;

/** Column tracks, in step with the cells: the trail, then the layout's columns. */
export function gridTemplate(columns: TableLayout["columns"], hasOffsets: boolean): string {
  const tracks = columns.map(({ id, widthPx }) => {
    if (widthPx) return `${widthPx}px`;
    if (hasOffsets && (id === "time" || id === "received")) return "236px";
    return isColumnId(id) ? WIDTHS[id] : "minmax(110px,1fr)";
  });
  return [`${TRAIL_PX}px`, ...tracks].join(" ");
}

/** What a cell stands for in a filter; null where it is no single value. */
export function cellPivot(
  columnId: string,
  event: EventRow,
  value?: string | null,
): { field: FieldRef; value: string } | null {
  const found = pivotOf(columnId, event, value);
  return found?.value === HIDDEN ? null : found;
}

function pivotOf(columnId: string, event: EventRow, value?: string | null) {
  switch (columnId) {
    case "actor":
      return { field: fieldRef("actor"), value: event.actor.id };
    case "action":
      return { field: fieldRef("action"), value: event.action };
    case "target":
      return event.targets[0] ? { field: fieldRef("target"), value: event.targets[0].id } : null;
    case "ip":
      return event.location ? { field: fieldRef("ip"), value: event.location } : null;
    default: {
      const field = isColumnId(columnId) ? null : columnField(columnId);
      return field && value ? { field, value } : null;
    }
  }
}

function Time(props: { iso: string; received?: string; zone: Zone; hasOffset: boolean }) {
  const { day, time, milliseconds } = clockOf(props.iso, props.zone);
  return (
    <time
      dateTime={props.iso}
      data-received={props.received}
      className="font-mono text-[12px] whitespace-nowrap"
      suppressHydrationWarning
    >
      <span className="text-(--text-3)">{day} </span>
      {time}
      <span className="text-(--text-3)">
        {milliseconds}
        {props.hasOffset && ` ${zoneOffset(props.zone, props.iso).slice(3) || "+00:00"}`}
      </span>
    </time>
  );
}

function Person(props: { participant: Participant }) {
  return (
    <span
      className="flex min-w-0 items-center gap-1.5"
      title={`${props.participant.type} ${props.participant.id}`}
    >
      <TypeIcon type={props.participant.type} />
      <span className="truncate">
        <Shown text={participantName(props.participant)} />
      </span>
    </span>
  );
}

function Targets(props: { targets: Participant[] }) {
  const [first, ...others] = props.targets;
  if (!first) return <span className="text-(--text-3)">none</span>;
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <span className="min-w-0 truncate" title={`${first.type} ${first.id}`}>
        <Shown text={participantName(first)} />
      </span>
      {others.length > 0 && (
        <span
          className="shrink-0 rounded-[3px] border border-(--border-strong) px-1 text-[11px] leading-4 text-(--text-2)"
          title={others.map((target) => `${target.type} ${participantName(target)}`).join(", ")}
        >
          +{others.length}
        </span>
      )}
    </span>
  );
}

/**
 * @param cellValue what a column beyond those of every row holds: undefined while it is being read
 */
export function createEventColumns(
  columns: TableLayout["columns"],
  { zone, zoneLabel, hasOffsets }: TableLook,
  cellValue: (columnId: string, event: EventRow) => string | null | undefined,
) {
  const cells: Record<ColumnId, (event: ListedEvent) => ReactNode> = {
    seq: (event) => <span className="font-mono text-[12px] text-(--text-3)">#{event.seq}</span>,
    time: (event) => (
      <Time iso={event.occurredAt} received={event.recordedAt} zone={zone} hasOffset={hasOffsets} />
    ),
    actor: (event) => <Person participant={event.actor} />,
    action: (event) => (
      <span className="flex min-w-0 items-center gap-1.5">
        <ActionGlyph action={event.action} />
        <span className="truncate font-mono text-[12px]">{event.action}</span>
        {event.isLate && <Late />}
      </span>
    ),
    target: (event) => <Targets targets={event.targets} />,
    ip: (event) => (
      <span className="truncate font-mono text-[12px]">
        <Shown text={event.location ?? ""} />
      </span>
    ),
    received: (event) => <Time iso={event.recordedAt} zone={zone} hasOffset={hasOffsets} />,
  };
  return columns.map(({ id }) =>
    helper.display({
      id,
      header:
        id === "time" || id === "received" ? `${columnLabel(id)}, ${zoneLabel}` : columnLabel(id),
      cell: ({ row }) => {
        if (isColumnId(id)) return cells[id](row.original);
        const value = cellValue(id, row.original);
        return (
          <span className="truncate font-mono text-[12px]" title={value ?? undefined}>
            {value === undefined ? (
              <span className="text-(--text-3)">…</span>
            ) : (
              <Shown text={value ?? ""} />
            )}
          </span>
        );
      },
    }),
  );
}

function Late() {
  return (
    <span
      className="shrink-0 rounded-[3px] bg-(--sunken) px-1 text-[11px] leading-4 text-(--text-2)"
      title="Arrived after events that happened later"
    >
      late
    </span>
  );
}

/** Two lines on a small screen: what and when, who and to what. */
export function EventCard(props: { event: ListedEvent; zone: Zone }) {
  const { event } = props;
  const { day, time } = clockOf(event.occurredAt, props.zone);
  const target = event.targets[0];
  return (
    <span className="grid min-w-0 flex-1 gap-0.5 pr-4">
      <span className="flex min-w-0 items-center gap-1.5">
        <ActionGlyph action={event.action} />
        <span className="min-w-0 truncate font-mono text-[12px]">{event.action}</span>
        {event.isLate && <Late />}
        <time
          dateTime={event.occurredAt}
          title={`${event.occurredAt} (${zoneOffset(props.zone, event.occurredAt)})`}
          className="ml-auto shrink-0 font-mono text-[12px] text-(--text-2)"
          suppressHydrationWarning
        >
          {time}
        </time>
      </span>
      <span className="flex min-w-0 items-center gap-1.5 text-(--text-2)">
        <TypeIcon type={event.actor.type} />
        <span className="max-w-1/2 shrink-0 truncate">
          <Shown text={participantName(event.actor)} />
        </span>
        {target && (
          <>
            <span aria-hidden="true" className="text-(--text-3)">
              →
            </span>
            <span className="min-w-0 truncate">
              <Shown text={participantName(target)} />
            </span>
          </>
        )}
        <span
          className="ml-auto shrink-0 font-mono text-[11px] text-(--text-3)"
          suppressHydrationWarning
        >
          {day}
        </span>
      </span>
    </span>
  );
}
