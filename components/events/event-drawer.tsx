"use client";

import { ArrowDown, ArrowUp, X } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Sheet } from "@/components/ui/dialog";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { EventDetail } from "@/lib/events/schema";
import { ActionGlyph } from "./action-glyph";
import { Line, type Pivot, Summary } from "./event-summary";
import { TrailDot } from "./trail-mark";
import { useMedia } from "./use-media";

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
  onPivot?: Pivot;
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
  return (
    <span
      className={`flex items-center gap-1.5 font-medium ${isVerified ? "text-(--in-verified)" : "text-(--in-pending)"}`}
    >
      <TrailDot isVerified={isVerified} />
      {isVerified ? "Verified" : "Sealed"}
    </span>
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
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
        tabIndex={0}
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
