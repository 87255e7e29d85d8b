"use client";

import { ArrowDown, ArrowUp, Ellipsis, X } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useEffect, useMemo, useRef, useState } from "react";
import { ProofSteps } from "@/components/integrity/proof-steps";
import { usePreference, writePreference } from "@/components/shell/preferences";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button, buttonClasses } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { copyText } from "@/components/ui/copy-text";
import { Sheet } from "@/components/ui/dialog";
import { ErrorPanel } from "@/components/ui/error-panel";
import { Menu, MenuItem } from "@/components/ui/menu";
import { ResizeEdge } from "@/components/ui/resize-edge";
import { TabList } from "@/components/ui/tabs";
import { findChanges } from "@/lib/events/changes";
import { curlCommand } from "@/lib/events/curl";
import type { EventDetail } from "@/lib/events/schema";
import { ActionGlyph } from "./action-glyph";
import { Line, Summary } from "./event-summary";
import { useSight } from "./seen";
import { checkedState, TrailDot } from "./trail-mark";
import { useMedia } from "./use-media";

// With a placeholder each has a boundary of its own: without one, the whole page would wait.
const loading = () => <div className="h-40 animate-pulse rounded-[5px] bg-(--sunken)" />;
const Changes = dynamic(() => import("./event-changes").then(({ Changes: part }) => part), {
  loading,
});
const JsonTree = dynamic(() => import("./json-tree").then(({ JsonTree: part }) => part), {
  loading,
});
const Deliveries = dynamic(() => import("./event-deliveries").then((part) => part.Deliveries), {
  loading,
});

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
  /** Whether what became of it on each stream may be seen. */
  showsDeliveries: boolean;
  onStep(step: 1 | -1): void;
  onRetry(): void;
  onClose(): void;
}

const WIDTH = "drawer.width";

/** One event whole: beside the list on a wide screen, over it on a small one. */
export function EventDrawer(props: Props) {
  const isWide = useMedia("(min-width: 1280px)");
  const widthPx = Number(usePreference(WIDTH)) || 456;
  useShortcuts([
    { keys: "j", label: "Next event", group: "Event", inDialog: true, run: () => props.onStep(1) },
    {
      keys: "k",
      label: "Previous event",
      group: "Event",
      inDialog: true,
      run: () => props.onStep(-1),
    },
  ]);
  const body = <DrawerBody {...props} takesFocus={isWide} />;
  if (isWide) {
    return (
      <aside
        aria-label="Event"
        className="relative flex shrink-0 flex-col border-l border-(--border) bg-(--surface) shadow-(--shadow-drawer)"
        style={{ width: widthPx }}
      >
        <ResizeEdge
          label="Width of the event"
          side="left"
          widthPx={widthPx}
          minPx={360}
          maxPx={800}
          onResize={(px) => writePreference(WIDTH, String(px))}
        />
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

type Tab = "Summary" | "Changes" | "JSON" | "Integrity" | "Deliveries";

function DrawerBody(props: Props & { takesFocus: boolean }) {
  const { state, takesFocus } = props;
  const [chosen, setTab] = useState<Tab>("Summary");
  const title = useRef<HTMLHeadingElement>(null);
  const event = state.kind === "ready" ? state.event : null;
  const changes = useMemo(() => (event ? findChanges(event.event.metadata) : []), [event]);
  const tabs: Tab[] = [
    "Summary",
    ...(changes.length > 0 ? ["Changes" as const] : []),
    "JSON",
    "Integrity",
    ...(props.showsDeliveries ? ["Deliveries" as const] : []),
  ];
  const tab = tabs.includes(chosen) ? chosen : "Summary";

  // Beside the list: whoever opened it hears what it is. A sheet takes the focus by itself.
  useEffect(() => {
    if (takesFocus) title.current?.focus({ preventScroll: true });
  }, [takesFocus]);

  return (
    <>
      <header className="flex h-11 shrink-0 items-center gap-2 border-b border-(--border) pr-2 pl-4 max-sm:h-13">
        {event && <ActionGlyph action={event.action} />}
        <h2
          ref={title}
          tabIndex={-1}
          className="min-w-0 flex-1 truncate font-mono text-[14px] font-semibold outline-0"
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
            <CopyMenu event={event} />
          </p>
          <TabList<Tab>
            label="Parts of the event"
            panel="event-panel"
            className="px-4"
            tabs={tabs.map((id) => ({
              ...{ id, label: id },
              ...(id === "Changes" ? { count: changes.length } : {}),
            }))}
            current={tab}
            onChange={setTab}
          />
          <div
            id="event-panel"
            role="tabpanel"
            aria-labelledby={`tab-${tab}`}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling panel has to be reachable by keyboard.
            tabIndex={0}
            className="min-h-0 flex-1 overflow-auto px-4 py-3 focus-visible:shadow-(--focus-inset)"
          >
            {tab === "Summary" && <Summary event={event} />}
            {tab === "Changes" && <Changes changes={changes} />}
            {tab === "JSON" && <JsonTree key={event.id} event={event} />}
            {tab === "Integrity" && <Integrity event={event} verifiedTo={props.verifiedTo} />}
            {tab === "Deliveries" && <Deliveries key={event.id} event={event} />}
          </div>
        </>
      )}
    </>
  );
}

function CopyMenu({ event }: { event: EventDetail }) {
  const link = () => {
    const url = new URL(`/o/${event.organizationId}/events`, location.href);
    url.searchParams.set("event", event.id);
    return url.href;
  };
  return (
    <Menu
      label="Copy"
      align="end"
      trigger={
        <Button variant="quiet" icon aria-label="Copy more">
          <Ellipsis size={14} aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem onSelect={() => void copyText(link(), "the link")}>Copy link</MenuItem>
      <MenuItem onSelect={() => void copyText(event.id, "the id")}>Copy id</MenuItem>
      <MenuItem onSelect={() => void copyText(JSON.stringify(event.event, null, 2), "the JSON")}>
        Copy JSON
      </MenuItem>
      <MenuItem
        onSelect={() => void copyText(curlCommand(location.origin, event.event), "a curl command")}
      >
        Copy curl
      </MenuItem>
    </Menu>
  );
}

function ProofState(props: { event: EventDetail; verifiedTo: number | null }) {
  const isVerified = props.verifiedTo !== null && props.event.seq <= props.verifiedTo;
  return (
    <span
      className={`flex items-center gap-1.5 font-medium ${isVerified ? "text-(--in-verified)" : "text-(--in-pending)"}`}
    >
      <TrailDot state={checkedState(props.event.seq, props.verifiedTo)} />
      {isVerified ? "Verified" : "Not covered yet"}
    </span>
  );
}

function Integrity(props: { event: EventDetail; verifiedTo: number | null }) {
  const { event } = props;
  const sight = useSight();
  const isMasked = sight !== null && sight.hidden.length > 0;
  const isVerified = props.verifiedTo !== null && event.seq <= props.verifiedTo;
  return (
    <>
      {isMasked ? (
        <p data-testid="proof-state">
          Fields are hidden for you, so the event's hash cannot be recomputed here.
        </p>
      ) : (
        <ProofSteps event={event} />
      )}
      <p className="mt-3 text-(--text-2)">
        {isVerified
          ? `The last verification recomputed this event's hash and its place in the chain, on this server.`
          : "This event was sealed when it was stored. No verification has reached it yet."}{" "}
        {!sight && (
          <Link
            href={`/o/${event.organizationId}/integrity`}
            className="underline decoration-(--border-control) underline-offset-3"
          >
            Integrity
          </Link>
        )}
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
      {!isMasked && (
        <>
          <p className="mt-4 flex flex-wrap gap-2">
            <ProofLink event={event} format="html">
              Download proof
            </ProofLink>
            <ProofLink event={event} format="json">
              Proof as JSON
            </ProofLink>
          </p>
          <p className="mt-2 text-[12px] text-(--text-2)">
            One file that opens offline and checks itself in any browser: from this event to the
            signed checkpoint.
          </p>
        </>
      )}
    </>
  );
}

function ProofLink(props: { event: EventDetail; format: "html" | "json"; children: string }) {
  const { event, format } = props;
  return (
    <a
      href={`/o/${event.organizationId}/events/proof?id=${event.id}&format=${format}`}
      className={buttonClasses({})}
    >
      {props.children}
    </a>
  );
}
