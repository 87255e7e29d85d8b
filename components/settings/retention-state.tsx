import type { ReactNode } from "react";
import { count } from "@/components/overview/words";
import { formatBytes } from "@/components/streams/words";
import type { RetentionOverview, RetentionRun } from "@/lib/retention/schema";
import { momentWords, nextWords, policyWords } from "./retention-words";

interface Props {
  organizationId: string;
  overview: RetentionOverview;
  /** The newest deletion. */
  last: RetentionRun | null;
}

/** What retention does here: the policy that holds, the next deletion, the last one, and what keeps it. */
export function RetentionState({ organizationId, overview, last }: Props) {
  const { policy, behind, isAutomatic, unfinished } = overview;
  return (
    <>
      <dl className="mt-5 max-w-[560px] border-t border-(--border)">
        <Fact term="Kept for">{policyWords(overview)}</Fact>
        <Fact term="Next deletion">{nextWords(overview)}</Fact>
        <Fact term="Last deletion">
          {last
            ? `${momentWords(last.startedAt)}: ${count(last.deleted)} events, ${formatBytes(last.bytes)}`
            : "None yet"}
        </Fact>
        {behind.length > 0 && (
          <Fact term="Not delivered">
            {behind.join(", ")}{" "}
            {policy.undelivered === "hold"
              ? "hold back what is due. Let them deliver, or discard what they set aside: "
              : "are not waited for: "}
            <a
              href={`/o/${organizationId}/integrity/streams`}
              className="underline decoration-(--border-control) underline-offset-[3px] max-sm:inline-block max-sm:py-2"
            >
              streams
            </a>
          </Fact>
        )}
        {unfinished > 0 && (
          <Fact term="Under way">
            {count(unfinished)} events of a deletion are still there; the next run goes on with it
          </Fact>
        )}
      </dl>
      {overview.refusal && (
        <p data-testid="retention-refused" className="mt-3 max-w-[72ch] text-(--in-failed)">
          {overview.refusal}
        </p>
      )}
      {!isAutomatic && policy.days !== null && (
        <p className="mt-3 max-w-[72ch] text-(--in-fetch)">
          Nothing is deleted by itself, since this server has no database login for it. Give it one
          with <code className="font-mono text-[12px]">DATABASE_RETENTION_URL</code>, or run{" "}
          <code className="font-mono text-[12px]">trailseal retention run --yes</code> daily, from
          cron.
        </p>
      )}
    </>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="grid min-h-8 grid-cols-[7.5rem_minmax(0,1fr)] gap-3 border-b border-(--border) py-1.5">
      <dt className="text-(--text-2)">{term}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}
