"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import type { FieldRef } from "@/lib/events/filter/ast";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { fieldRef, includeValue } from "@/lib/events/filter/edit";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { toSearchParams } from "@/lib/events/filter/url";
import type { EventDetail, EventRow } from "@/lib/events/schema";
import { HIDDEN } from "@/lib/events/sight";
import { TypeIcon, timelineHref } from "./participant";
import { PivotButtons } from "./pivots";
import { Shown } from "./shown";
import { clockOf, useZone, zoneOffset } from "./zone";

/** A label and its value, with buttons to include or exclude it. */
export function Line(props: {
  label: string;
  event?: EventRow;
  field?: FieldRef;
  value?: string;
  children: ReactNode;
}) {
  const { field, value, event } = props;
  return (
    <div className="group -mx-2 grid min-h-7 grid-cols-[88px_minmax(0,1fr)_auto] items-start gap-2 rounded-[3px] px-2 py-1 focus-within:bg-(--hover) hover:bg-(--hover) max-sm:min-h-11">
      <dt className="truncate text-(--text-3)" title={props.label}>
        {props.label}
      </dt>
      <dd className="min-w-0 break-words">{props.children}</dd>
      {field && value !== undefined && event && (
        <dd className="flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 max-sm:-my-3 max-sm:opacity-100">
          <PivotButtons pivot={{ field, value }} event={event} label={props.label} hasMenu />
        </dd>
      )}
    </div>
  );
}

function ParticipantLine(props: {
  label: string;
  part: "actor" | "target";
  participant: EventDetail["actor"];
  event: EventDetail;
}) {
  const { participant, part } = props;
  const name = participant.name && (
    <span className="mr-1.5 font-medium underline decoration-(--border-control) underline-offset-3 group-hover/link:decoration-(--text)">
      <Shown text={participant.name} />
    </span>
  );
  const id = (
    <span
      className={`font-mono text-[12px] break-all text-(--text-2) ${participant.name ? "" : "underline decoration-(--border-control) underline-offset-3 group-hover/link:decoration-(--text)"}`}
    >
      <Shown text={participant.id} />
    </span>
  );
  return (
    <Line label={props.label} field={fieldRef(part)} value={participant.id} event={props.event}>
      <span className="grid grid-cols-[14px_minmax(0,1fr)] gap-x-1.5">
        <span className="grid h-5 place-items-center">
          <TypeIcon type={participant.type} />
        </span>
        <span>
          {participant.id === HIDDEN ? (
            <>
              {name}
              {id}
            </>
          ) : (
            <Link
              href={timelineHref(props.event.organizationId, part, participant)}
              title={`Timeline of this ${part}`}
              className="group/link"
            >
              {name}
              {id}
            </Link>
          )}{" "}
          <span className="text-[12px] text-(--text-3)">{participant.type}</span>
        </span>
      </span>
    </Line>
  );
}

function Section(props: { title: string; children: ReactNode }) {
  return (
    <section className="mt-3 border-t border-(--border) pt-3">
      <h3 className="mb-1 font-medium">{props.title}</h3>
      <dl>{props.children}</dl>
    </section>
  );
}

/** Leaves of a metadata document: the path as a filter names it, and the value. */
function leaves(value: unknown, path: string[] = []): { path: string[]; value: unknown }[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
}

function Metadata(props: {
  title: string;
  field: "metadata" | "actor.metadata" | null;
  value: unknown;
  event: EventDetail;
}) {
  if (props.value === HIDDEN)
    return (
      <Section title={props.title}>
        <Shown text={HIDDEN} />
      </Section>
    );
  const found = leaves(props.value).filter(({ path }) => path.length > 0);
  if (found.length === 0) return null;
  return (
    <Section title={props.title}>
      {found.map(({ path, value }) => {
        const isScalar = typeof value !== "object" || value === null;
        const text = isScalar ? String(value) : JSON.stringify(value);
        const field =
          props.field && isScalar && value !== null ? fieldRef(props.field, ...path) : undefined;
        return (
          <Line
            key={path.join("\u0000")}
            label={path.join(".")}
            field={field}
            value={text}
            event={props.event}
          >
            <span className="font-mono text-[12px] break-all">{text}</span>
          </Line>
        );
      })}
    </Section>
  );
}

const AROUND_MS = 15 * 60_000;

/** What else happened then: the list around the event, which stays open. */
function Around({ event }: { event: EventDetail }) {
  const atMs = Date.parse(event.occurredAt);
  const [from, to] = [atMs - AROUND_MS, atMs + AROUND_MS].map((ms) => new Date(ms).toISOString());
  const href = (q: string) => {
    const params = toSearchParams({
      q,
      time: { kind: "absolute", from: from ?? null, to: to ?? null },
      event: event.id,
      after: null,
      before: null,
    });
    return `/o/${event.organizationId}/events?${params}`;
  };
  const actor = serializeFilter(includeValue(EMPTY_FILTER, fieldRef("actor"), event.actor.id));
  const look = "underline decoration-(--border-control) underline-offset-3 max-sm:py-3";
  return (
    <p className="mt-3 flex flex-wrap items-center gap-x-4 border-t border-(--border) pt-3">
      <span className="text-(--text-3)">Around this, ±15 min:</span>
      {event.actor.id !== HIDDEN && (
        <Link href={href(actor)} className={look}>
          same actor
        </Link>
      )}
      <Link href={href("")} className={look}>
        everything
      </Link>
    </p>
  );
}

/** Everything the event says, leaf by leaf. */
export function Summary(props: { event: EventDetail }) {
  const { event } = props;
  const zone = useZone();
  const moment = (iso: string) => {
    const { day, time, milliseconds } = clockOf(iso, zone);
    return `${day} ${time}${milliseconds} ${zoneOffset(zone, iso)}`;
  };
  const agent = event.event.context?.user_agent;
  const moreContext = Object.fromEntries(
    Object.entries(event.event.context ?? {}).filter(
      ([key]) => key !== "location" && key !== "user_agent",
    ),
  );
  return (
    <>
      <dl>
        <Line label="Action" field={fieldRef("action")} value={event.action} event={event}>
          <span className="font-mono text-[12px]">{event.action}</span>
          {event.version !== 1 && (
            <span className="ml-1.5 text-[12px] text-(--text-3)">version {event.version}</span>
          )}
        </Line>
        <ParticipantLine label="Actor" part="actor" participant={event.actor} event={event} />
        {event.targets.map((target, position) => (
          <ParticipantLine
            // biome-ignore lint/suspicious/noArrayIndexKey: the same target may stand twice.
            key={position}
            label={event.targets.length === 1 ? "Target" : `Target ${position + 1}`}
            part="target"
            participant={target}
            event={event}
          />
        ))}
        {event.targets.length === 0 && <Line label="Target">none</Line>}
        <Line label="Occurred">
          <time
            dateTime={event.occurredAt}
            data-received={event.recordedAt}
            className="font-mono text-[12px]"
          >
            {moment(event.occurredAt)}
          </time>
        </Line>
        <Line label="Received">
          <time dateTime={event.recordedAt} className="font-mono text-[12px]">
            {moment(event.recordedAt)}
          </time>
        </Line>
      </dl>
      {event.event.context && (
        <Section title="Context">
          {event.location !== null && (
            <Line label="IP" field={fieldRef("ip")} value={event.location} event={event}>
              <span className="font-mono text-[12px] break-all">
                <Shown text={event.location} />
              </span>
            </Line>
          )}
          {typeof agent === "string" && (
            <Line label="Agent" field={fieldRef("agent")} value={agent} event={event}>
              <Shown text={agent} />
            </Line>
          )}
          {leaves(moreContext)
            .filter(({ path }) => path.length > 0)
            .map(({ path, value }) => (
              <Line key={path.join("\u0000")} label={path.join(".")}>
                <span className="font-mono text-[12px] break-all">{JSON.stringify(value)}</span>
              </Line>
            ))}
        </Section>
      )}
      <Metadata title="Metadata" field="metadata" value={event.event.metadata} event={event} />
      <Metadata
        title="Actor's metadata"
        field="actor.metadata"
        value={event.event.actor.metadata}
        event={event}
      />
      {event.event.targets.map((target, position) => (
        <Metadata
          // biome-ignore lint/suspicious/noArrayIndexKey: the same target may stand twice.
          key={position}
          title={
            event.targets.length === 1 ? "Target's metadata" : `Target ${position + 1}'s metadata`
          }
          field={null}
          value={target.metadata}
          event={event}
        />
      ))}
      <Around event={event} />
    </>
  );
}
