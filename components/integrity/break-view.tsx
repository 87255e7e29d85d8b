import type { Finding, Verdict } from "@/lib/integrity/schema";
import { damageName, formatSeq } from "./words";

function bytes(hex: string): { text: string; at: number }[] {
  return (hex.match(/../g) ?? []).map((text, at) => ({ text, at }));
}

/** One hash in bytes, with the first byte that differs from the other marked. */
function HashBytes(props: { hash: string; differsAt: number }) {
  return (
    <span className="grid w-fit grid-cols-[repeat(16,auto)] font-mono text-[12px] leading-5 max-sm:grid-cols-[repeat(8,auto)]">
      {bytes(props.hash).map((byte) => (
        <span
          key={byte.at}
          className={
            byte.at === props.differsAt
              ? "rounded-[2px] bg-(--in-failed) px-[2.5px] font-semibold text-(--surface)"
              : byte.at > props.differsAt
                ? "px-[2.5px] text-(--text-2)"
                : "px-[2.5px]"
          }
        >
          {byte.text}
        </span>
      ))}
    </span>
  );
}

function Comparison(props: { stored: string; recomputed: string }) {
  const recomputed = bytes(props.recomputed);
  const differsAt = bytes(props.stored).findIndex(
    (byte) => byte.text !== recomputed[byte.at]?.text,
  );
  return (
    <dl className="mt-2 grid grid-cols-[86px_minmax(0,1fr)] gap-y-1.5 text-[12px]">
      <dt className="leading-5 text-(--text-2)">Stored</dt>
      <dd>
        <HashBytes hash={props.stored} differsAt={differsAt} />
      </dd>
      <dt className="leading-5 text-(--text-2)">Recomputed</dt>
      <dd>
        <HashBytes hash={props.recomputed} differsAt={differsAt} />
      </dd>
    </dl>
  );
}

function FindingItem(props: { finding: Finding; isFirst: boolean }) {
  const { finding } = props;
  return (
    <li
      className={`border-b border-(--border) px-3 py-2.5 ${props.isFirst ? "bg-(--in-failed-tint)" : ""}`}
    >
      <div className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-mono text-[12px] font-medium">
          {finding.seq === null ? "the log" : formatSeq(finding.seq)}
        </span>
        <span className="font-medium text-(--in-failed)">{damageName(finding.kind)}</span>
      </div>
      <p className="mt-0.5 text-[12px] break-words text-(--text-2)">{finding.detail}</p>
      {props.isFirst && finding.stored && finding.recomputed && (
        <Comparison stored={finding.stored} recomputed={finding.recomputed} />
      )}
    </li>
  );
}

/** What was found, the first break leading, and what still holds before it. */
export function BreakView(props: { verdict: Verdict }) {
  const { verdict } = props;
  const broken = verdict.first_bad_seq;
  return (
    <div className="mt-6 grid gap-10 lg:grid-cols-[1.08fr_1fr] max-lg:gap-6">
      <section>
        <h2 className="text-[14px] font-semibold tracking-[-0.012em]">
          {verdict.findings.length === 1 ? "The break" : "What was found"}
          {verdict.findings_truncated && (
            <span className="ml-2 text-[12px] font-normal text-(--text-3)">
              the first {verdict.findings.length}; there is more
            </span>
          )}
        </h2>
        <ol className="mt-2 border-t border-(--border)">
          {verdict.findings.map((finding, position) => (
            <FindingItem
              key={`${finding.seq} ${finding.kind} ${finding.detail}`}
              finding={finding}
              isFirst={position === 0}
            />
          ))}
        </ol>
      </section>
      <section>
        <h2 className="text-[14px] font-semibold tracking-[-0.012em]">What still holds</h2>
        <dl className="mt-2 border-t border-(--border)">
          {broken !== null && broken > verdict.first_seq && (
            <Holds range={`${formatSeq(verdict.first_seq)} to ${formatSeq(broken - 1)}`}>
              Every event hashes as recorded, in the order it was sealed.
            </Holds>
          )}
          {broken !== null && (
            <Holds range={formatSeq(broken)}>
              What the database says today is not what was recorded.
            </Holds>
          )}
          {verdict.last_good && (
            <Holds range={`Signed to ${formatSeq(verdict.last_good.size - 1)}`}>
              {broken !== null && verdict.last_good.size > broken
                ? "The stored hashes are those that were signed: what was changed is what they stand for."
                : "Everything up to here is what a signed checkpoint covers."}
            </Holds>
          )}
          {verdict.findings.some(({ kind }) => kind === "truncated_tail") && (
            <Holds range="After a restore">
              A backup that is older than the last checkpoint looks like this. Whoever runs the
              server confirms it with "trailseal epoch begin": the log then goes on, with a signed
              record of what is lost.
            </Holds>
          )}
          <Holds range="Elsewhere">
            A copy in your SIEM carries each event's sequence number and chain hash: compare it with
            this log from the break on.
          </Holds>
        </dl>
      </section>
    </div>
  );
}

function Holds(props: { range: string; children: string }) {
  return (
    <div className="grid grid-cols-[152px_minmax(0,1fr)] gap-3 border-b border-(--border) py-2 max-sm:grid-cols-1 max-sm:gap-0">
      <dt className="font-mono text-[12px]">{props.range}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
