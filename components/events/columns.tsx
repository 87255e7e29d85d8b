"use client";

import { createColumnHelper, tableFeatures } from "@tanstack/react-table";
import type { EventRow, Participant } from "@/lib/events/schema";
import { ActionGlyph } from "./action-glyph";
import { participantName, TypeIcon } from "./participant";
import { clockOf, type Zone } from "./zone";

/** The grid only lays out what the server sorted, filtered and paged. */
export const eventTableFeatures = tableFeatures({});

const helper = createColumnHelper<typeof eventTableFeatures, EventRow>();

/** Column widths, in step with the cells: trail, seq, time, actor, action, target, IP. */
export const GRID =
  "32px 76px 176px minmax(120px,1.1fr) minmax(150px,1.4fr) minmax(120px,1.4fr) 132px";
/** With the drawer open its rows keep what the drawer does not say at a glance. */
export const GRID_NARROW = "32px 176px minmax(100px,1fr) minmax(140px,1.4fr) minmax(100px,1fr)";

function Time(props: { iso: string; zone: Zone }) {
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
      <span className="text-(--text-3)">{milliseconds}</span>
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

export function createEventColumns(zone: Zone, zoneLabel: string, isNarrow: boolean) {
  const columns = helper.columns([
    helper.accessor("seq", {
      header: "Seq",
      cell: (cell) => (
        <span className="font-mono text-[12px] text-(--text-3)">#{cell.getValue()}</span>
      ),
    }),
    helper.accessor("occurredAt", {
      header: `Time, ${zoneLabel}`,
      cell: (cell) => <Time iso={cell.getValue()} zone={zone} />,
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
          className="shrink-0 font-mono text-[11px] text-(--text-3)"
          suppressHydrationWarning
        >
          {day.slice(5)} {time}
        </time>
      </span>
      <span className="flex min-w-0 items-center gap-1.5 text-(--text-2)">
        <TypeIcon type={event.actor.type} />
        <span className="truncate">{participantName(event.actor)}</span>
        {target && (
          <>
            <span aria-hidden="true" className="text-(--text-3)">
              →
            </span>
            <span className="truncate">{participantName(target)}</span>
          </>
        )}
      </span>
    </span>
  );
}
