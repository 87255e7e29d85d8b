"use client";

import { CircleCheck, CircleDashed, CircleMinus, CircleSlash, CircleX } from "lucide-react";
import Link from "next/link";
import { formatMoment } from "@/components/streams/words";
import { Button } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { EventDetail } from "@/lib/events/schema";
import type { EventDelivery } from "@/lib/streams/schema";
import { useFetched } from "./use-fetched";

const STATES = {
  delivered: { Icon: CircleCheck, colour: "text-(--st-active)", word: "Delivered" },
  waiting: { Icon: CircleDashed, colour: "text-(--in-pending)", word: "Waiting" },
  set_aside: { Icon: CircleX, colour: "text-(--st-failing)", word: "Set aside" },
  passed_over: { Icon: CircleSlash, colour: "text-(--text-2)", word: "Not sent" },
  before: { Icon: CircleMinus, colour: "text-(--text-2)", word: "Before its start" },
} satisfies Record<EventDelivery["state"], unknown>;

/** What became of one event on each stream, asked for when the tab opens. */
export function Deliveries({ event }: { event: EventDetail }) {
  const { organizationId, seq } = event;
  const streams = `/o/${organizationId}/integrity/streams`;
  const { data, failure, retry } = useFetched<EventDelivery[]>(
    `/o/${organizationId}/events/deliveries?seq=${seq}`,
  );
  if (failure)
    return (
      <ErrorPanel
        title="Could not load the deliveries."
        requestId={failure.requestId}
        action={<Button onClick={retry}>Retry</Button>}
      >
        {failure.message}
      </ErrorPanel>
    );
  if (!data)
    return (
      <div
        role="status"
        aria-label="Loading the deliveries"
        className="h-24 animate-pulse rounded-[5px] bg-(--sunken)"
      />
    );
  if (data.length === 0)
    return (
      <p className="text-(--text-2)">
        No stream carries this log elsewhere.{" "}
        <Link href={streams} className="underline decoration-(--border-control) underline-offset-3">
          Streams
        </Link>
      </p>
    );
  return (
    <ul data-testid="deliveries">
      {data.map((delivery) => (
        <li key={delivery.streamId} className="border-b border-(--border) py-2 first:pt-0">
          <Delivery delivery={delivery} href={`${streams}/${delivery.streamId}`} />
        </li>
      ))}
    </ul>
  );
}

function Delivery({ delivery, href }: { delivery: EventDelivery; href: string }) {
  const { Icon, colour, word } = STATES[delivery.state];
  const { attempt, reason } = delivery;
  return (
    <>
      <p className="flex items-baseline gap-3">
        {delivery.canOpen ? (
          <Link href={href} className="min-w-0 flex-1 truncate font-medium hover:underline">
            {delivery.name}
          </Link>
        ) : (
          <span className="min-w-0 flex-1 truncate font-medium">{delivery.name}</span>
        )}
        <span className={`flex items-center gap-1.5 self-center font-medium ${colour}`}>
          <Icon aria-hidden="true" className="size-4 shrink-0" strokeWidth={1.6} />
          {word}
        </span>
      </p>
      <p className="text-[12px] text-(--text-3)">{delivery.destinationLabel}</p>
      {reason && <p className="mt-0.5 text-[12px] text-(--text-2)">{reason}</p>}
      {attempt && <p className="mt-0.5 text-[12px] text-(--text-2)">{attemptWords(delivery)}</p>}
      {delivery.state === "delivered" && !attempt && (
        <p className="mt-0.5 text-[12px] text-(--text-3)">
          The record of the request that brought it is not kept any more.
        </p>
      )}
    </>
  );
}

function attemptWords({ attempt, state }: EventDelivery): string {
  if (!attempt) return "";
  const answer = attempt.status === null ? "" : `, answered ${attempt.status}`;
  const when = `${formatMoment(attempt.at)}${answer} in ${attempt.latencyMs} ms`;
  if (state === "delivered") return `${when}.`;
  return `Last tried ${when}. ${attempt.message ?? ""}`.trim();
}
