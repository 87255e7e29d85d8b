import Link from "next/link";
import { SealMark } from "@/components/integrity/seal-mark";
import {
  formatCount,
  formatMoment,
  formatSeq,
  toneOf,
  verdictSentence,
} from "@/components/integrity/words";
import { StateMark } from "@/components/streams/state-mark";
import { formatSpan, isErrorCurrent, listSentence } from "@/components/streams/words";
import { ButtonLink } from "@/components/ui/button";
import { CLOCK_TOLERANCE_MS, type Clocks } from "@/lib/events/clocks";
import type { Verification } from "@/lib/integrity/schema";
import type { StreamSummary } from "@/lib/streams/schema";

const LATEST = {
  running: " A verification is under way.",
  unfinished: " The last verification did not finish.",
} as Partial<Record<ReturnType<typeof toneOf>, string>>;

/** What the last verification proved; never a seal where nothing was checked. */
export function Verdict(props: { organizationId: string; runs: Verification[]; nextSeq: number }) {
  const { runs, nextSeq } = props;
  const proof = runs.find((run) => run.verdict && run.verdict.kind !== "nothing_checked") ?? null;
  const latest = LATEST[toneOf(runs[0] ?? null)] ?? "";
  const verdict = proof?.verdict;
  const newer = verdict ? Math.max(0, nextSeq - verdict.next_seq) : nextSeq;
  return (
    <div className="flex items-start gap-3">
      <SealMark tone={toneOf(proof)} className="mt-0.5 size-6 shrink-0" />
      <div>
        <p
          data-testid="overview-verdict"
          className={`text-[22px] leading-7 font-semibold tracking-[-0.02em] ${verdict && !verdict.ok ? "text-(--in-failed)" : ""}`}
        >
          <Link
            href={`/o/${props.organizationId}/integrity`}
            className="hover:underline hover:underline-offset-4 max-sm:py-2"
          >
            {verdict ? verdictSentence(verdict) : "Not yet checked"}
          </Link>
        </p>
        <p className="mt-1 text-(--text-2)">
          {verdict
            ? `Checked on this server, ${formatMoment(verdict.finished_at)}${newer > 0 ? `; ${formatCount(newer)} newer events were recorded since` : ""}.`
            : `${formatCount(newer)} events wait for their first check.`}
          {latest}
        </p>
      </div>
    </div>
  );
}

/** Each stream's state, lag and current error. */
export function StreamRows(props: { organizationId: string; streams: StreamSummary[] }) {
  const { streams } = props;
  const base = `/o/${props.organizationId}/integrity/streams`;
  if (streams.length === 0) {
    return (
      <div className="grid justify-items-start gap-2">
        <p className="text-(--text-2)">No stream yet. A copy elsewhere is the chain's witness.</p>
        <ButtonLink href={base}>Streams</ButtonLink>
      </div>
    );
  }
  return (
    <>
      <p className="mb-2 text-(--text-2)">{listSentence(streams)}.</p>
      <ul className="border-t border-(--border)">
        {streams.map((stream) => (
          <li key={stream.id} className="relative border-b border-(--border) py-1.5 max-sm:py-3">
            <p className="flex items-center gap-3">
              <StateMark state={stream.state} />
              <Link
                href={`${base}/${stream.id}`}
                className="min-w-0 flex-1 truncate after:absolute after:inset-0 hover:underline focus-visible:outline-none focus-visible:after:shadow-(--focus-inset)"
              >
                {stream.name}
              </Link>
              <span className="text-[12px] text-(--text-2) tabular-nums">
                {stream.lagEvents === 0
                  ? "none waits"
                  : `${formatCount(stream.lagEvents)} behind, ${formatSpan(stream.lagS)}`}
              </span>
            </p>
            {isErrorCurrent(stream) && (
              <p className="text-[12px] text-(--text-2)">{stream.lastError?.message}</p>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function clockWords({ recordedAheadMs, databaseAheadMs }: Clocks): string {
  const words = [
    recordedAheadMs > CLOCK_TOLERANCE_MS &&
      `received times stand still, ${formatSpan(recordedAheadMs / 1_000)} ahead`,
    Math.abs(databaseAheadMs) > CLOCK_TOLERANCE_MS &&
      `the database's is ${formatSpan(Math.abs(databaseAheadMs) / 1_000)} ${databaseAheadMs > 0 ? "ahead" : "behind"}`,
  ].filter((word) => word !== false);
  return words.join("; ") || `agree within ${CLOCK_TOLERANCE_MS / 1_000} s`;
}

/** How events arrive. */
export function LogFacts(props: {
  organizationId: string;
  last: { id: string; seq: number; recordedAt: string } | null;
  lastHour: number;
  clocks: Clocks;
}) {
  const { last, lastHour } = props;
  const perMinute = (lastHour / 60).toLocaleString("en-US", { maximumFractionDigits: 1 });
  const facts = [
    ["Last received", last ? formatMoment(last.recordedAt) : "nothing yet"],
    [
      "Newest number",
      last && (
        <Link
          key="seq"
          href={`/o/${props.organizationId}/events?event=${last.id}`}
          prefetch={false}
          className="underline decoration-(--border-control) underline-offset-3 max-sm:inline-flex max-sm:min-h-11 max-sm:items-center"
        >
          {formatSeq(last.seq)}
        </Link>
      ),
    ],
    ["In the last hour", `${formatCount(lastHour)} received, ${perMinute} a minute`],
    ["Clocks", clockWords(props.clocks)],
  ] as const;
  return (
    <dl className="grid border-t border-(--border) tabular-nums">
      {facts.map(([term, fact]) => (
        <div
          key={term}
          className="grid min-h-8 grid-cols-[7.5rem_minmax(0,1fr)] items-center gap-3 border-b border-(--border) py-1"
        >
          <dt className="text-(--text-2)">{term}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}
