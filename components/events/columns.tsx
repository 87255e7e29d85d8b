"use client";

import { createColumnHelper, tableFeatures } from "@tanstack/react-table";
import type { EventRow, Participant } from "@/lib/events/schema";
import { ActionGlyph } from "./action-glyph";
import { participantName, TypeIcon } from "./participant";
import { clockOf, type Zone, zoneOffset } from "./zone";

/** The grid only lays out what the server sorted, filtered and paged. */
export const eventTableFeatures = tableFeatures({});

const helper = createColumnHelper<typeof eventTableFeatures, EventRow>();

/** Column widths, in step with the cells: trail, seq, time, actor, action, target, IP. */
export function gridTemplate(look: Pick<TableLook, "hasOffsets" | "isNarrow">): string {
  const time = look.hasOffsets ? "236px" : "180px";
  return look.isNarrow
    ? `32px ${time} minmax(100px,1fr) minmax(140px,1.4fr) minmax(100px,1fr)`
    : `32px 76px ${time} minmax(120px,1.1fr) minmax(150px,1.4fr) minmax(120px,1.4fr) 132px`;
}

export interface TableLook {
  zone: Zone;
  /** What the head of the time column says about the zone. */
  zoneLabel: string;
  /** The rows differ in offset, so each says its own. */
  hasOffsets: boolean;
  /** With the drawer open its rows keep what the drawer does not say at a glance. */
  isNarrow: boolean;
}

function Time(props: { iso: string; zone: Zone; hasOffset: boolean }) {
  const { day, time, milliseconds } = clockOf(props.iso, props.zone);
  return (
    <time
      dateTime={props.iso}
      title={props.iso}
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
      <span className="truncate">{participantName(props.participant)}</span>
    </span>
  );
}

function Targets(props: { targets: Participant[] }) {
  const [first, ...others] = props.targets;
  if (!first) return <span className="text-(--text-3)">none</span>;
  return (
    <span className="flex min-w-0 items-center gap-1.5">
      <span className="min-w-0 truncate" title={`${first.type} ${first.id}`}>
        {participantName(first)}
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

export function createEventColumns({ zone, zoneLabel, hasOffsets, isNarrow }: TableLook) {
  const columns = helper.columns([
    helper.accessor("seq", {
      header: "Seq",
      cell: (cell) => (
        <span className="font-mono text-[12px] text-(--text-3)">#{cell.getValue()}</span>
      ),
    }),
    helper.accessor("occurredAt", {
      header: `Time, ${zoneLabel}`,
      cell: (cell) => <Time iso={cell.getValue()} zone={zone} hasOffset={hasOffsets} />,
    }),
    helper.accessor("actor", {
      header: "Actor",
      cell: (cell) => <Person participant={cell.getValue()} />,
    }),
    helper.accessor("action", {
      header: "Action",
      cell: (cell) => (
        <span className="flex min-w-0 items-center gap-1.5">
          <ActionGlyph action={cell.getValue()} />
          <span className="truncate font-mono text-[12px]">{cell.getValue()}</span>
        </span>
      ),
    }),
    helper.accessor("targets", {
      header: "Target",
      cell: (cell) => <Targets targets={cell.getValue()} />,
    }),
    helper.accessor("location", {
      header: "IP",
      cell: (cell) => (
        <span className="truncate font-mono text-[12px]">{cell.getValue() ?? ""}</span>
      ),
    }),
  ]);
  return isNarrow
    ? columns.filter(
        (column) =>
          !["seq", "location"].includes(
            String(column.id ?? ("accessorKey" in column ? column.accessorKey : "")),
          ),
      )
    : columns;
}

/** Two lines on a small screen: what and when, who and to what. */
export function EventCard(props: { event: EventRow; zone: Zone }) {
  const { event } = props;
  const { day, time } = clockOf(event.occurredAt, props.zone);
  const target = event.targets[0];
  return (
    <span className="grid min-w-0 flex-1 gap-0.5 pr-4">
      <span className="flex min-w-0 items-center gap-1.5">
        <ActionGlyph action={event.action} />
        <span className="min-w-0 flex-1 truncate font-mono text-[12px]">{event.action}</span>
        <time
          dateTime={event.occurredAt}
          title={`${event.occurredAt} (${zoneOffset(props.zone, event.occurredAt)})`}
          className="shrink-0 font-mono text-[12px] text-(--text-2)"
          suppressHydrationWarning
        >
          {time}
        </time>
      </span>
      <span className="flex min-w-0 items-center gap-1.5 text-(--text-2)">
        <TypeIcon type={event.actor.type} />
        <span className="max-w-1/2 shrink-0 truncate">{participantName(event.actor)}</span>
        {target && (
          <>
            <span aria-hidden="true" className="text-(--text-3)">
              →
            </span>
            <span className="min-w-0 truncate">{participantName(target)}</span>
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
