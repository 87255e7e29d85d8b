"use client";

import { Plus } from "lucide-react";
import Link from "next/link";
import { ButtonLink } from "@/components/ui/button-link";
import type { ActionResult } from "@/lib/http/action-result";
import type { StreamSummary, StreamView } from "@/lib/streams/schema";
import { Sparkline, SparklineLegend } from "./sparkline";
import { StreamStateMark } from "./state-mark";
import { useFresh } from "./use-fresh";
import {
  countEvents,
  errorStanding,
  formatCount,
  formatMoment,
  formatSpan,
  isErrorCurrent,
  listSentence,
} from "./words";

interface Props {
  organizationId: string;
  views: StreamView[];
  /** Without it, the streams are there to be read and lead nowhere. */
  canManage: boolean;
  read(organizationId: string): Promise<ActionResult<StreamView[]>>;
}

/** Where the streams' own pages are; null for who may not open them. */
type Base = string | null;

const CELL = "border-b border-(--border)/60 px-2 py-2 align-middle first:pl-0";
const HEAD =
  "h-7 border-b border-(--border) px-2 text-left text-[12px] font-normal text-(--text-3) first:pl-0";
const COVERS =
  "after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:shadow-(--focus-inset)";

const delivered24h = ({ halfHours }: StreamView) =>
  halfHours.reduce((sum, { delivered }) => sum + delivered, 0);

/** Streams with their health, read again every few seconds. */
export function StreamList({ organizationId, views: initial, canManage, read }: Props) {
  const { data: views, problem } = useFresh(initial, () => read(organizationId));
  const base: Base = canManage ? `/o/${organizationId}/integrity/streams` : null;
  if (views.length === 0) return <NoStreams base={base} />;
  const streams = views.map(({ stream }) => stream);
  const delivered = views.reduce((sum, view) => sum + delivered24h(view), 0);
  return (
    <>
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <h1 className="text-[16px] leading-6 font-semibold tracking-[-0.012em]">
            {listSentence(streams)}
          </h1>
          <p className="text-(--text-2)">
            {countEvents(delivered)} delivered in 24 hours. A copy elsewhere is the witness of the
            chain.
          </p>
        </div>
        {base && <NewStreamLink base={base} />}
      </div>
      {problem && (
        <p role="alert" className="mt-3 text-(--in-fetch)">
          {problem} What you see may be out of date.
        </p>
      )}
      <Table views={views} base={base} />
      <ul className="mt-3 lg:hidden">
        {views.map((view) => (
          <Card key={view.stream.id} view={view} base={base} />
        ))}
      </ul>
      <SparklineLegend />
      {streams.filter(isErrorCurrent).map((stream) => (
        <Trouble key={stream.id} stream={stream} base={base} />
      ))}
    </>
  );
}

function Table({ views, base }: { views: StreamView[]; base: Base }) {
  return (
    <table className="mt-5 w-full table-fixed border-separate border-spacing-0 max-lg:hidden">
      <thead>
        <tr>
          <th className={`${HEAD} w-[122px]`}>State</th>
          <th className={HEAD}>Stream</th>
          <th className={`${HEAD} w-[216px]`}>24 hours</th>
          <th className={`${HEAD} w-[88px] !text-right max-xl:hidden`}>Delivered</th>
          <th className={`${HEAD} w-[96px] !text-right`}>Lag, events</th>
          <th className={`${HEAD} w-[168px] !pl-5`}>Last success</th>
          <th className={`${HEAD} w-[22%]`}>Last error</th>
        </tr>
      </thead>
      <tbody>
        {views.map((view) => (
          <tr key={view.stream.id} className="group relative hover:bg-(--hover)">
            <td className={CELL}>
              <StreamStateMark state={view.stream.state} />
            </td>
            <td className={CELL}>
              <Name
                stream={view.stream}
                base={base}
                className="block truncate font-medium group-hover:underline"
              />
              <Where stream={view.stream} />
            </td>
            <td className={CELL}>
              <Sparkline halfHours={view.halfHours} />
            </td>
            <td className={`${CELL} text-right tabular-nums max-xl:hidden`}>
              {formatCount(delivered24h(view))}
            </td>
            <td className={`${CELL} text-right tabular-nums`}>
              <p>{formatCount(view.stream.lagEvents)}</p>
              <p className="text-[12px] text-(--text-3)">{formatSpan(view.stream.lagS)}</p>
            </td>
            <td className={`${CELL} !pl-5 text-[12px] text-(--text-2) tabular-nums`}>
              {view.stream.lastSuccessAt ? formatMoment(view.stream.lastSuccessAt) : "None yet"}
            </td>
            <td className={`${CELL} text-[12px] leading-[17px]`}>
              <LastError stream={view.stream} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Card({ view, base }: { view: StreamView; base: Base }) {
  const { stream, halfHours } = view;
  return (
    <li className="relative border-b border-(--border) py-3">
      <div className="flex items-center gap-2">
        <Name stream={stream} base={base} className="min-w-0 flex-1 truncate font-medium" />
        <StreamStateMark state={stream.state} />
      </div>
      <Where stream={stream} />
      <Sparkline halfHours={halfHours} className="mt-1.5 h-6 w-full" />
      <p className="mt-1 text-[12px] text-(--text-2) tabular-nums">
        {countEvents(delivered24h(view))} in 24 hours,{" "}
        {stream.lagEvents === 0
          ? "none waits"
          : `${formatCount(stream.lagEvents)} wait, the oldest for ${formatSpan(stream.lagS)}`}
        . Last success: {stream.lastSuccessAt ? formatMoment(stream.lastSuccessAt) : "none yet"}.
      </p>
      <p className="text-[12px]">
        <LastError stream={stream} />
      </p>
    </li>
  );
}

function Name(props: { stream: StreamSummary; base: Base; className: string }) {
  const { stream, base, className } = props;
  return base ? (
    <Link href={`${base}/${stream.id}`} className={`${className} ${COVERS}`}>
      {stream.name}
    </Link>
  ) : (
    <span className={className}>{stream.name}</span>
  );
}

function Where({ stream }: { stream: StreamSummary }) {
  return (
    <p className="truncate text-[12px] text-(--text-3)">
      {stream.destinationLabel}, {stream.description}
      {stream.filter && <span className="font-mono">, {stream.filter}</span>}
    </p>
  );
}

function errorColour(stream: StreamSummary): string {
  if (!isErrorCurrent(stream)) return "text-(--text-2)";
  return stream.state === "degraded" ? "text-(--st-degraded)" : "text-(--in-failed)";
}

function LastError({ stream }: { stream: StreamSummary }) {
  const { lastError, deadLetters } = stream;
  const standing = errorStanding(stream);
  return (
    <>
      {lastError ? (
        <>
          <span className={`line-clamp-2 ${errorColour(stream)}`}>{lastError.message}</span>
          <span className="block text-(--text-3) tabular-nums">
            {formatMoment(lastError.at)}
            {standing && `, ${standing}`}
          </span>
        </>
      ) : (
        <span className="text-(--text-3) max-lg:hidden">None</span>
      )}
      {deadLetters > 0 && (
        <span className="block text-(--op-denied)">{countEvents(deadLetters)} set aside</span>
      )}
    </>
  );
}

/** Cause, consequence and next step of a stream that does not deliver now. */
function Trouble({ stream, base }: { stream: StreamSummary; base: Base }) {
  const { lastError, firstFailureAt, state } = stream;
  const href = `${base}/${stream.id}`;
  return (
    <section
      aria-label={stream.name}
      className={`mt-6 border-l-2 pl-3.5 ${state === "degraded" ? "border-(--in-fetch-line)" : "border-(--ch-3)"}`}
    >
      <h2 className="text-[14px] font-semibold tracking-[-0.012em]">
        {stream.name}{" "}
        {firstFailureAt && (
          <span className="text-[12px] font-normal text-(--text-3) tabular-nums">
            failing since {formatMoment(firstFailureAt)}
          </span>
        )}
      </h2>
      <p className="mt-0.5 max-w-[92ch] text-(--text-2)">
        {lastError?.message} {lastError?.advice}
      </p>
      {base && (
        <div className="mt-2 flex flex-wrap gap-2">
          {state !== "degraded" && <ButtonLink href={`${href}?tab=settings`}>Settings</ButtonLink>}
          <ButtonLink href={`${href}?tab=attempts`}>Attempts</ButtonLink>
        </div>
      )}
    </section>
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

function NoStreams({ base }: { base: Base }) {
  return (
    <div className="max-w-[64ch]">
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        No copy of this log exists elsewhere
      </h1>
      <p className="mt-1 mb-4 text-(--text-2)">
        Whoever controls this server could rewrite the whole log. A stream forwards every event with
        its sequence number and chain hash to a system that this server's operators cannot change: a
        SIEM, an object store with a lock, a log collector or a webhook.
      </p>
      {base ? <NewStreamLink base={base} /> : <p>Who manages streams here can make one.</p>}
    </div>
  );
}
