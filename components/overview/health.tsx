import Link from "next/link";
import { SealMark } from "@/components/integrity/seal-mark";
import { formatCount, formatMoment, toneOf, verdictSentence } from "@/components/integrity/words";
import { StreamStateMark } from "@/components/streams/state-mark";
import { formatSpan, isErrorCurrent, listSentence } from "@/components/streams/words";
import type { Verification } from "@/lib/integrity/schema";
import type { StreamSummary } from "@/lib/streams/schema";

const LATEST = {
  running: " A verification is under way.",
  unfinished: " The last verification did not finish.",
} as Partial<Record<ReturnType<typeof toneOf>, string>>;

/** What the last verification proved; never a seal where nothing was checked. */
export function Verdict(props: { href: string; runs: Verification[]; nextSeq: number }) {
  const { runs, nextSeq } = props;
  const proof = runs.find((run) => run.verdict && run.verdict.kind !== "nothing_checked") ?? null;
  const verdict = proof?.verdict;
  const newer = formatCount(Math.max(0, nextSeq - (verdict?.next_seq ?? 0)));
  const tone = toneOf(proof);
  return (
    <div className="flex items-start gap-3">
      <SealMark tone={tone} className="mt-0.5 size-6 shrink-0" />
      <div>
        <p
          data-testid="overview-verdict"
          className={`text-[22px] leading-7 font-semibold tracking-[-0.02em] ${tone === "broken" ? "text-(--in-failed)" : ""}`}
        >
          <Link href={props.href} className="hover:underline hover:underline-offset-4 max-sm:py-2">
            {verdict ? verdictSentence(verdict) : "Not yet checked"}
          </Link>
        </p>
        <p className="mt-1 text-(--text-2)">
          {verdict
            ? `Checked on this server, ${formatMoment(verdict.finished_at)}. Received since: ${newer}.`
            : `${newer} events wait for their first check.`}
          {LATEST[toneOf(runs[0] ?? null)]}
        </p>
      </div>
    </div>
  );
}

/** Each stream's state, lag and current error; without `canManage` only their list is there to be opened. */
export function StreamRows(props: { href: string; streams: StreamSummary[]; canManage: boolean }) {
  const { href, streams } = props;
  const sentence =
    streams.length === 0
      ? "No stream yet: a copy elsewhere is the chain's witness"
      : listSentence(streams);
  return (
    <>
      <p className="mb-2 text-(--text-2)">
        <Link href={href} className="hover:underline max-sm:inline-block max-sm:py-3">
          {sentence}.
        </Link>
      </p>
      <ul>
        {streams.map((stream) => (
          <li key={stream.id} className="relative border-t border-(--border) py-1.5 max-sm:py-3">
            <p className="flex items-center gap-3">
              <StreamStateMark state={stream.state} />
              <Link
                href={props.canManage ? `${href}/${stream.id}` : href}
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
