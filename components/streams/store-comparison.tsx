import type { Reconciliation } from "@/lib/streams/schema";
import { countEvents, formatCount, formatMoment } from "./words";

/** What the newest look at the receiver's store found: it is a witness of the log. */
export function StoreComparison({ latest }: { latest: Reconciliation | null }) {
  return (
    <section
      aria-labelledby="comparison"
      className={`mt-5 border-l-2 pl-3.5 ${latest?.finding ? "border-(--in-failed)" : "border-(--border-strong)"}`}
    >
      <h2 id="comparison" className="text-[14px] font-semibold tracking-[-0.012em]">
        What lies there{" "}
        <span className="text-[12px] font-normal text-(--text-3) tabular-nums">
          {latest ? `compared ${formatMoment(latest.checkedAt)}` : "not compared yet"}
        </span>
      </h2>
      <div className="max-w-[92ch] text-(--text-2)">
        {latest ? <Outcome {...latest} /> : <p>The objects are read back once a day.</p>}
      </div>
    </section>
  );
}

function Outcome(latest: Reconciliation) {
  const { finding, error, fromSeq, toSeq, objects, events, checkpoints, notCovered } = latest;
  if (error) return <p className="text-(--in-fetch)">It could not be compared. {error}</p>;
  const scope = [
    fromSeq < toSeq ? `#${formatCount(fromSeq)} to #${formatCount(toSeq - 1)}` : "no event",
    `${formatCount(objects)} objects`,
    countEvents(events),
    `${formatCount(checkpoints)} checkpoints`,
  ].join(", ");
  return (
    <>
      {finding ? (
        <p className="text-(--in-failed)">
          It is not what the log holds. {finding.detail}
          {finding.others > 0 && ` Other differences: ${formatCount(finding.others)}.`}
        </p>
      ) : (
        <p>It is what the log holds, with the signed checkpoints among it.</p>
      )}
      {finding?.key && <p className="font-mono text-[12px] break-all">{finding.key}</p>}
      <p className="text-[12px] text-(--text-3) tabular-nums">Compared: {scope}.</p>
      {notCovered.map((sentence) => (
        <p key={sentence} className="text-[12px] text-(--text-3)">
          {sentence}
        </p>
      ))}
    </>
  );
}
