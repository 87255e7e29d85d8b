"use client";

import { ArrowDown, ArrowUp, Minus, Plus, X } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Sheet } from "@/components/ui/dialog";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { FieldRef } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import type { EventDetail } from "@/lib/events/schema";
import { ActionGlyph } from "./action-glyph";
import { TypeIcon, timelineHref } from "./participant";
import { useMedia } from "./use-media";
import { clockOf, useZone, zoneName } from "./zone";

export type DetailState =
  | { kind: "loading" }
  | { kind: "error"; message: string; requestId: string }
  | { kind: "missing" }
  | { kind: "ready"; event: EventDetail };

interface Props {
  state: DetailState;
  /** `6 of 100+`, empty when the event is not in the list. */
  position: string;
  verifiedTo: number | null;
  /** Absent where the list has no filter to pivot (a timeline). */
  onPivot?(field: FieldRef, value: string, include: boolean): void;
  onStep(step: 1 | -1): void;
  onRetry(): void;
  onClose(): void;
}

/** One event whole: beside the list on a wide screen, over it on a small one. */
export function EventDrawer(props: Props) {
  const isWide = useMedia("(min-width: 1280px)");
  const body = <DrawerBody {...props} />;
  if (isWide) {
    return (
      <aside
        aria-label="Event"
        className="flex w-[456px] shrink-0 flex-col border-l border-(--border) bg-(--surface) shadow-(--shadow-drawer)"
      >
        {body}
      </aside>
    );
  }
  return (
    <Sheet open onOpenChange={(open) => !open && props.onClose()} title="Event" side="right">
      {body}
    </Sheet>
  );
}

const TABS = ["Summary", "JSON", "Integrity"] as const;

function DrawerBody(props: Props) {
  const [tab, setTab] = useState<(typeof TABS)[number]>("Summary");
  const { state } = props;
  const event = state.kind === "ready" ? state.event : null;
  return (
    <>
      <header className="flex h-11 shrink-0 items-center gap-2 border-b border-(--border) pr-2 pl-4 max-sm:h-13">
        {event && <ActionGlyph action={event.action} />}
        <h2
          className="min-w-0 flex-1 truncate font-mono text-[14px] font-semibold"
          data-testid="drawer-title"
        >
          {event?.action ?? "Event"}
        </h2>
        <span className="text-[12px] whitespace-nowrap text-(--text-3)">{props.position}</span>
        <Button
          variant="quiet"
          icon
          aria-label="Previous event"
          onClick={() => props.onStep(-1)}
          disabled={!props.position}
        >
          <ArrowUp size={14} aria-hidden="true" />
        </Button>
        <Button
          variant="quiet"
          icon
          aria-label="Next event"
          onClick={() => props.onStep(1)}
          disabled={!props.position}
        >
          <ArrowDown size={14} aria-hidden="true" />
        </Button>
        <Button variant="quiet" icon aria-label="Close" onClick={props.onClose}>
          <X size={16} aria-hidden="true" />
        </Button>
      </header>
      {state.kind === "loading" && (
        <div
          className="m-4 h-40 animate-pulse rounded-[5px] bg-(--sunken)"
          role="status"
          aria-label="Loading the event"
        />
      )}
      {state.kind === "missing" && (
        <ErrorPanel title="There is no such event in this organization." />
      )}
      {state.kind === "error" && (
        <ErrorPanel
          title="Could not load the event."
          requestId={state.requestId}
          action={<Button onClick={props.onRetry}>Retry</Button>}
        >
          {state.message}
        </ErrorPanel>
      )}
      {event && (
        <>
          <p className="flex items-center gap-2 px-4 pt-2 text-[12px]">
            <ProofState event={event} verifiedTo={props.verifiedTo} />
            <span className="font-mono text-(--text-2)">#{event.seq}</span>
            <span className="min-w-0 flex-1 truncate font-mono text-(--text-3)">{event.id}</span>
            <CopyButton text={event.id} label="Copy the id" />
          </p>
          <div
            role="tablist"
            aria-label="Parts of the event"
            className="flex gap-4 border-b border-(--border) px-4"
          >
            {TABS.map((name) => (
              <button
                key={name}
                type="button"
                role="tab"
                id={`tab-${name}`}
                aria-selected={name === tab}
                aria-controls="event-panel"
                onClick={() => setTab(name)}
                className="-mb-px h-9 border-b-2 border-transparent text-(--text-2) aria-selected:border-(--text) aria-selected:font-medium aria-selected:text-(--text) max-sm:h-11"
              >
                {name}
              </button>
            ))}
          </div>
          <div
            id="event-panel"
            role="tabpanel"
            aria-labelledby={`tab-${tab}`}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling panel has to be reachable by keyboard.
            tabIndex={0}
            className="min-h-0 flex-1 overflow-auto px-4 py-3 focus-visible:shadow-(--focus-inset)"
          >
            {tab === "Summary" && <Summary event={event} onPivot={props.onPivot} />}
            {tab === "JSON" && <Json event={event} />}
            {tab === "Integrity" && <Integrity event={event} verifiedTo={props.verifiedTo} />}
          </div>
        </>
      )}
    </>
  );
}

function ProofState(props: { event: EventDetail; verifiedTo: number | null }) {
  const isVerified = props.verifiedTo !== null && props.event.seq <= props.verifiedTo;
  return isVerified ? (
    <span className="font-medium text-(--in-verified)">● Verified</span>
  ) : (
    <span className="font-medium text-(--in-pending)">○ Sealed</span>
  );
}

type Pivot = Props["onPivot"];

function Line(props: {
  label: string;
  field?: FieldRef;
  value?: string;
  onPivot?: Pivot;
  children: ReactNode;
}) {
  const { field, value, onPivot } = props;
  return (
    <div className="group -mx-2 grid min-h-7 grid-cols-[88px_minmax(0,1fr)_auto] items-start gap-2 rounded-[3px] px-2 py-1 focus-within:bg-(--hover) hover:bg-(--hover) max-sm:min-h-11">
      <dt className="truncate text-(--text-3)" title={props.label}>
        {props.label}
      </dt>
      <dd className="min-w-0 break-words">{props.children}</dd>
      {field && value !== undefined && onPivot && (
        <span className="flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 max-sm:opacity-100">
          <Button
            variant="quiet"
            icon
            className="size-5"
            aria-label={`Only ${props.label} ${value}`}
            title="Include"
            onClick={() => onPivot(field, value, true)}
          >
            <Plus size={12} aria-hidden="true" />
          </Button>
          <Button
            variant="quiet"
            icon
            className="size-5"
            aria-label={`Without ${props.label} ${value}`}
            title="Exclude"
            onClick={() => onPivot(field, value, false)}
          >
            <Minus size={12} aria-hidden="true" />
          </Button>
        </span>
      )}
    </div>
  );
}

function ParticipantLine(props: {
  label: string;
  part: "actor" | "target";
  organizationId: string;
  participant: EventDetail["actor"];
  onPivot?: Pivot;
}) {
  const { participant, part } = props;
  return (
    <Line label={props.label} field={fieldRef(part)} value={participant.id} onPivot={props.onPivot}>
      <Link
        href={timelineHref(props.organizationId, part, participant)}
        title={`Timeline of this ${part}`}
        className="inline-flex max-w-full flex-wrap items-center gap-x-1.5 underline decoration-(--border-control) underline-offset-3 hover:decoration-(--text)"
      >
        <TypeIcon type={participant.type} />
        {participant.name && <span>{participant.name}</span>}
        <span className="font-mono text-[12px] break-all text-(--text-2)">{participant.id}</span>
      </Link>
      <span className="ml-1.5 text-[12px] text-(--text-3)">{participant.type}</span>
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
  onPivot?: Pivot;
}) {
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
            onPivot={props.onPivot}
          >
            <span className="font-mono text-[12px] break-all">{text}</span>
          </Line>
        );
      })}
    </Section>
  );
}

function Summary(props: { event: EventDetail; onPivot?: Pivot }) {
  const { event, onPivot } = props;
  const zone = useZone();
  const moment = (iso: string) => {
    const { day, time, milliseconds } = clockOf(iso, zone);
    return `${day} ${time}${milliseconds} ${zoneName(zone, new Date(iso))}`;
  };
  const agent = event.event.context?.user_agent;
  const organizationId = event.organizationId;
  const moreContext = Object.fromEntries(
    Object.entries(event.event.context ?? {}).filter(
      ([key]) => key !== "location" && key !== "user_agent",
    ),
  );
  return (
    <>
      <dl>
        <Line label="Action" field={fieldRef("action")} value={event.action} onPivot={onPivot}>
          <span className="font-mono text-[12px]">{event.action}</span>
          {event.version !== 1 && (
            <span className="ml-1.5 text-[12px] text-(--text-3)">version {event.version}</span>
          )}
        </Line>
        <ParticipantLine
          label="Actor"
          part="actor"
          organizationId={organizationId}
          participant={event.actor}
          onPivot={onPivot}
        />
        {event.targets.map((target, position) => (
          <ParticipantLine
            // biome-ignore lint/suspicious/noArrayIndexKey: the same target may stand twice.
            key={position}
            label={event.targets.length === 1 ? "Target" : `Target ${position + 1}`}
            part="target"
            organizationId={organizationId}
            participant={target}
            onPivot={onPivot}
          />
        ))}
        {event.targets.length === 0 && <Line label="Target">none</Line>}
        <Line label="Occurred">
          <time dateTime={event.occurredAt} className="font-mono text-[12px]">
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
            <Line label="IP" field={fieldRef("ip")} value={event.location} onPivot={onPivot}>
              <span className="font-mono text-[12px] break-all">{event.location}</span>
            </Line>
          )}
          {typeof agent === "string" && (
            <Line label="Agent" field={fieldRef("agent")} value={agent} onPivot={onPivot}>
              {agent}
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
      <Metadata title="Metadata" field="metadata" value={event.event.metadata} onPivot={onPivot} />
      <Metadata
        title="Actor's metadata"
        field="actor.metadata"
        value={event.event.actor.metadata}
        onPivot={onPivot}
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
        />
      ))}
    </>
  );
}

function Json(props: { event: EventDetail }) {
  const text = JSON.stringify(props.event.event, null, 2);
  return (
    <div className="relative">
      <CopyButton
        text={text}
        label="Copy the JSON"
        className="absolute top-1 right-1 bg-(--sunken)"
      />
      <pre
        className="overflow-auto rounded-[5px] bg-(--sunken) p-3 pr-10 font-mono text-[12px] leading-[18px]"
        data-testid="event-json"
      >
        {text}
      </pre>
    </div>
  );
}

function Integrity(props: { event: EventDetail; verifiedTo: number | null }) {
  const { event } = props;
  const isVerified = props.verifiedTo !== null && event.seq <= props.verifiedTo;
  return (
    <>
      <p className="text-(--text-2)">
        {isVerified
          ? `The last verification recomputed this event's hash and its place in the chain, on this server.`
          : "This event was sealed when it was stored. No verification has reached it yet."}{" "}
        <Link
          href={`/o/${event.organizationId}/integrity`}
          className="underline decoration-(--border-control) underline-offset-3"
        >
          Integrity
        </Link>
      </p>
      <dl className="mt-3">
        <Line label="Sequence">
          <span className="font-mono text-[12px]">{event.seq}</span>
        </Line>
        <Line label="Recorded">
          <span className="font-mono text-[12px]">{event.recordedAt}</span>
        </Line>
        <Line label="Chain hash">
          <span className="font-mono text-[12px] break-all" data-testid="chain-hash">
            {event.chainHash}
          </span>
        </Line>
        <Line label={event.seq === 0 ? "Genesis" : `Hash of #${event.seq - 1}`}>
          <span className="font-mono text-[12px] break-all">
            {event.previousHash ?? "not stored any more"}
          </span>
        </Line>
      </dl>
    </>
  );
}
