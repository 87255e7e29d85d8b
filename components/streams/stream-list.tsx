"use client";

import { Plus } from "lucide-react";
import Link from "next/link";
import { ButtonLink } from "@/components/ui/button-link";
import type { ActionResult } from "@/lib/http/action-result";
import type { StreamSummary } from "@/lib/streams/schema";
import { StateMark } from "./state-mark";
import { useFresh } from "./use-fresh";
import { formatCount, formatMoment, formatSpan, isErrorCurrent, listSentence } from "./words";

interface Props {
  organizationId: string;
  streams: StreamSummary[];
  read(organizationId: string): Promise<ActionResult<StreamSummary[]>>;
  /** Names lead nowhere, and nothing can be made. */
  isReadOnly?: boolean;
}

const CELL = "border-b border-(--border)/60 px-2 py-2 align-middle first:pl-0";
const HEAD =
  "h-7 border-b border-(--border) px-2 text-left text-[12px] font-normal text-(--text-3) first:pl-0";

/** Streams with their health, read again every few seconds. */
export function StreamList({ organizationId, streams: initial, read, isReadOnly }: Props) {
  const { data: streams, problem } = useFresh(initial, () => read(organizationId));
  const base = isReadOnly ? null : `/o/${organizationId}/integrity/streams`;
  if (streams.length === 0) return <NoStreams base={base} />;
  const delivered = streams.reduce((sum, stream) => sum + stream.delivered, 0);
  return (
    <>
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1">
          <h1 className="text-[16px] leading-6 font-semibold tracking-[-0.012em]">
            {listSentence(streams)}
          </h1>
          <p className="text-(--text-2)">
            {formatCount(delivered)} events delivered. A copy elsewhere is the witness of the chain.
          </p>
        </div>
        {base && <NewStreamLink base={base} />}
      </div>
      {problem && (
        <p role="alert" className="mt-3 text-(--in-fetch)">
          {problem} What you see may be out of date.
        </p>
      )}
      <table className="mt-5 w-full table-fixed border-separate border-spacing-0 max-md:hidden">
        <thead>
          <tr>
            <th className={`${HEAD} w-[126px]`}>State</th>
            <th className={HEAD}>Stream</th>
            <th className={`${HEAD} w-[96px] !text-right`}>Delivered</th>
            <th className={`${HEAD} w-[104px] !text-right`}>Lag, events</th>
            <th className={`${HEAD} w-[176px] pl-5`}>Last success</th>
            <th className={`${HEAD} w-[30%]`}>Last error</th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.id} className="group relative hover:bg-(--hover)">
              <td className={CELL}>
                <StateMark state={stream.state} />
              </td>
              <td className={CELL}>
                <StreamName
                  base={base}
                  stream={stream}
                  className="block truncate font-medium group-hover:underline after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:shadow-(--focus-inset)"
                />
                <p className="truncate text-[12px] text-(--text-3)">
                  {stream.destinationLabel}, {stream.description}
                </p>
              </td>
              <td className={`${CELL} text-right tabular-nums`}>{formatCount(stream.delivered)}</td>
              <td className={`${CELL} text-right tabular-nums`}>
                <Lag stream={stream} />
              </td>
              <td className={`${CELL} pl-5 text-[12px] text-(--text-2) tabular-nums`}>
                {stream.lastSuccessAt ? formatMoment(stream.lastSuccessAt) : "None yet"}
              </td>
              <td className={`${CELL} text-[12px] leading-[17px]`}>
                <LastError stream={stream} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="mt-4 md:hidden">
        {streams.map((stream) => (
          <li key={stream.id} className="relative border-b border-(--border) py-3">
            <div className="flex items-baseline gap-2">
              <StreamName
                base={base}
                stream={stream}
                className="min-w-0 flex-1 truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:shadow-(--focus-inset)"
              />
              <StateMark state={stream.state} />
            </div>
            <p className="truncate text-[12px] text-(--text-3)">
              {stream.destinationLabel}, {stream.description}
            </p>
            <p className="text-[12px] text-(--text-2) tabular-nums">
              {formatCount(stream.delivered)} delivered, {formatCount(stream.lagEvents)} waiting
              {stream.lagEvents > 0 && `, oldest ${formatSpan(stream.lagS)}`}
            </p>
            <p className="text-[12px]">
              <LastError stream={stream} />
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

function StreamName(props: { base: string | null; stream: StreamSummary; className: string }) {
  const { base, stream, className } = props;
  if (!base)
    return <span className="block min-w-0 flex-1 truncate font-medium">{stream.name}</span>;
  return (
    <Link href={`${base}/${stream.id}`} className={className}>
      {stream.name}
    </Link>
  );
}

function Lag({ stream }: { stream: StreamSummary }) {
  return (
    <>
      <p>{formatCount(stream.lagEvents)}</p>
      <p className="text-[12px] text-(--text-3)">{formatSpan(stream.lagS)}</p>
    </>
  );
}

function errorColour(stream: StreamSummary): string {
  if (!isErrorCurrent(stream)) return "text-(--text-2)";
  return stream.state === "degraded" ? "text-(--st-degraded)" : "text-(--in-failed)";
}

function LastError({ stream }: { stream: StreamSummary }) {
  const { lastError, deadLetters } = stream;
  const setAside =
    deadLetters > 0 ? (
      <span className="block text-(--op-denied)">{formatCount(deadLetters)} events set aside</span>
    ) : null;
  if (!lastError) {
    return (
      <>
        <span className="text-(--text-3)">None</span>
        {setAside}
      </>
    );
  }
  return (
    <>
      <span className={`line-clamp-2 ${errorColour(stream)}`}>{lastError.message}</span>
      <span className="block text-(--text-3) tabular-nums">
        {formatMoment(lastError.at)}
        {!isErrorCurrent(stream) && ", recovered"}
      </span>
      {setAside}
    </>
  );
}

function NewStreamLink({ base }: { base: string }) {
  return (
    <ButtonLink variant="primary" href={`${base}/new`}>
      <Plus aria-hidden="true" size={14} />
      New stream
    </ButtonLink>
  );
}

function NoStreams({ base }: { base: string | null }) {
  return (
    <div className="max-w-[64ch]">
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        No copy of this log exists elsewhere
      </h1>
      <p className="mt-1 mb-4 text-(--text-2)">
        Whoever controls this server could rewrite the whole log. A stream forwards every event with
        its sequence number and chain hash to a system that this server's operators cannot change:
        an HTTPS webhook or a Splunk HTTP Event Collector.
      </p>
      {base && <NewStreamLink base={base} />}
    </div>
  );
}
