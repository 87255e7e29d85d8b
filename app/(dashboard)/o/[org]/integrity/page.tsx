import type { Metadata } from "next";
import { z } from "zod";
import { Alerts } from "@/components/integrity/alerts";
import { BreakView } from "@/components/integrity/break-view";
import { ChainStrip } from "@/components/integrity/chain-strip";
import { CheckElsewhere } from "@/components/integrity/check-elsewhere";
import { Checkpoints } from "@/components/integrity/checkpoints";
import { NotCovered } from "@/components/integrity/not-covered";
import { RefusalView } from "@/components/integrity/refusal-view";
import { RunsTable } from "@/components/integrity/runs-table";
import { IntegritySections } from "@/components/integrity/sections";
import { STRIP_CELLS, stretchesOf } from "@/components/integrity/stretches";
import { VerifyPanel } from "@/components/integrity/verify-panel";
import { readAlertStates } from "@/lib/alerts/server/alerts";
import type { Scope } from "@/lib/auth/scope";
import { pageScope } from "@/lib/auth/server/require-scope";
import { parseFields } from "@/lib/http/parse-input";
import type { Verdict } from "@/lib/integrity/schema";
import { readCheckpointMarks, readCheckpointRows } from "@/lib/integrity/server/checkpoints";
import { readLogHead } from "@/lib/integrity/server/log-status";
import { readWatch } from "@/lib/integrity/server/log-watch";
import { readRefusal, vkeysOf } from "@/lib/integrity/server/signer";
import { listVerifications } from "@/lib/integrity/server/verification-jobs";
import { readWitnessStates } from "@/lib/integrity/server/witnesses";
import { ClockAlarm } from "../clock-alarm";
import { Panel } from "../panel";
import {
  cancelVerificationAction,
  readVerificationAction,
  startVerificationAction,
} from "./actions";

export const metadata: Metadata = { title: "Integrity" };

const RUNS_SHOWN = 20;

const number = z.coerce.number().int().min(0).optional();
/** The page of checkpoints, and the part of the log that the strip shows. */
const pageSchema = z.object({ before: number, from: number, to: number });

export default async function IntegrityPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const { org } = await props.params;
  const { before, from, to } = parseFields(pageSchema, await props.searchParams);
  const page = before === undefined ? {} : { before };
  const here = `/o/${org}/integrity`;
  const scope = await pageScope("page:/o/[org]/integrity", org);
  const [runs, head, watch, vkeys, witnesses, refusal] = await Promise.all([
    listVerifications(scope, RUNS_SHOWN),
    readLogHead(scope),
    readWatch(scope),
    vkeysOf(scope),
    readWitnessStates(scope),
    readRefusal(scope),
  ]);
  const latest = runs[0] ?? null;
  // A run under way or cut short does not take back the last verdict.
  const verdict =
    runs.find((run) => run.verdict && run.verdict.kind !== "nothing_checked")?.verdict ?? null;
  const strip = verdict && (await readStrip(scope, verdict, head.nextSeq, { from, to }));
  return (
    <>
      <IntegritySections scope={scope} current="chain" />
      <ClockAlarm scope={scope} />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <VerifyPanel
          organizationId={org}
          latest={latest}
          nextSeq={head.nextSeq}
          watch={watch}
          canVerify={scope.permissions.has("integrity:verify")}
          actions={{
            start: startVerificationAction,
            cancel: cancelVerificationAction,
            read: readVerificationAction,
          }}
        />
        {refusal && <RefusalView organizationId={org} refusal={refusal} />}
        {verdict && <NotCovered verdict={verdict} />}
        {strip && (
          <ChainStrip
            here={here}
            {...strip}
            witnessedTo={Math.max(0, ...witnesses.map(({ size }) => size))}
          />
        )}
        {verdict && !verdict.ok && <BreakView verdict={verdict} />}
        <RunsTable runs={runs} />
        <div className="mt-6">
          <Panel
            title="Checkpoints"
            note="signed states of the log, each proven to contain the one before"
            here={here}
            read={async () => {
              const { rows, hasOlder } = await readCheckpointRows(scope, { ...page, limit: 10 });
              const last = rows.at(-1)?.size;
              return (
                <Checkpoints
                  rows={rows}
                  olderHref={hasOlder ? `${here}?before=${last}` : null}
                  witnesses={witnesses}
                />
              );
            }}
          />
        </div>
        <div className="mt-6">
          <Panel
            title="Alerts"
            note="when a check finds a break, and when a later one does not any more"
            here={here}
            read={async () => <Alerts states={await readAlertStates(scope)} />}
          />
        </div>
        <CheckElsewhere
          organizationId={org}
          vkeys={vkeys}
          canExport={scope.permissions.has("exports:manage")}
        />
        <p className="mt-5 max-w-[110ch] border-t border-(--border) pt-3 text-(--text-2)">
          <strong className="font-medium text-(--text)">What this does not prove.</strong> A server
          that checks itself can lie. Events rejected before they were stored, and false events sent
          with a valid key, leave no trace in a hash. Forward events to a system that this server's
          operators cannot change: each carries its sequence number and chain hash. Who has both the
          database and the signing key can write another history; only a checkpoint that was kept
          elsewhere shows it.
        </p>
      </div>
    </>
  );
}

/** The part of the log that is asked for, all of it where that is none, and the checkpoints in it. */
async function readStrip(
  scope: Scope,
  verdict: Verdict,
  nextSeq: number,
  asked: { from: number | undefined; to: number | undefined },
) {
  const stretches = stretchesOf(verdict, nextSeq);
  const whole = { from: stretches[0]?.from ?? 0, to: stretches.at(-1)?.to ?? 1 };
  const part = {
    from: Math.max(asked.from ?? whole.from, whole.from),
    to: Math.min(asked.to ?? whole.to, whole.to),
  };
  const range = part.from < part.to ? part : whole;
  const marks = await readCheckpointMarks(scope, range.from, range.to, STRIP_CELLS);
  return { verdict, stretches, whole, range, marks };
}
