import type { Metadata } from "next";
import { BreakView } from "@/components/integrity/break-view";
import { ChainStrip } from "@/components/integrity/chain-strip";
import { RunsTable } from "@/components/integrity/runs-table";
import { IntegritySections } from "@/components/integrity/sections";
import { VerifyPanel } from "@/components/integrity/verify-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { readLogHead } from "@/lib/integrity/server/log-status";
import { listVerifications } from "@/lib/integrity/server/verification-jobs";
import { ClockAlarm } from "../clock-alarm";
import {
  cancelVerificationAction,
  readVerificationAction,
  startVerificationAction,
} from "./actions";

export const metadata: Metadata = { title: "Integrity" };

const RUNS_SHOWN = 20;

export default async function IntegrityPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity", org);
  const [runs, head] = await Promise.all([
    listVerifications(scope, RUNS_SHOWN),
    readLogHead(scope),
  ]);
  const latest = runs[0] ?? null;
  // A run under way or cut short does not take back the last verdict.
  const verdict =
    runs.find((run) => run.verdict && run.verdict.kind !== "nothing_checked")?.verdict ?? null;
  return (
    <>
      <IntegritySections organizationId={org} current="chain" />
      <ClockAlarm scope={scope} />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <VerifyPanel
          organizationId={org}
          latest={latest}
          nextSeq={head.nextSeq}
          actions={{
            start: startVerificationAction,
            cancel: cancelVerificationAction,
            read: readVerificationAction,
          }}
        />
        {verdict && <ChainStrip verdict={verdict} nextSeq={head.nextSeq} />}
        {verdict && !verdict.ok && <BreakView verdict={verdict} />}
        <RunsTable runs={runs} />
        <section className="mt-6">
          <h2 className="text-[14px] font-semibold tracking-[-0.012em]">Check it elsewhere</h2>
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
            tabIndex={0}
            className="mt-2 overflow-auto rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px]"
          >
            npx trailseal verify --org {org}
          </pre>
          <p className="mt-2 text-[12px] text-(--text-2)">
            Gives the same verdict on the server's command line; exits 1 when the chain is broken.
          </p>
        </section>
        <p className="mt-5 max-w-[110ch] border-t border-(--border) pt-3 text-(--text-2)">
          <strong className="font-medium text-(--text)">What this does not prove.</strong> A server
          that checks itself can lie. Events rejected before they were stored, and false events sent
          with a valid key, leave no trace in a hash. Forward events to a system that this server's
          operators cannot change: each carries its sequence number and chain hash.
        </p>
      </div>
    </>
  );
}
