import type { Metadata } from "next";
import { z } from "zod";
import { BreakView } from "@/components/integrity/break-view";
import { ChainStrip, STRIP_CELLS } from "@/components/integrity/chain-strip";
import { CheckElsewhere } from "@/components/integrity/check-elsewhere";
import { Checkpoints } from "@/components/integrity/checkpoints";
import { RunsTable } from "@/components/integrity/runs-table";
import { IntegritySections } from "@/components/integrity/sections";
import { VerifyPanel } from "@/components/integrity/verify-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { parseFields } from "@/lib/http/parse-input";
import { readCheckpointMarks, readCheckpointRows } from "@/lib/integrity/server/checkpoints";
import { readLogHead } from "@/lib/integrity/server/log-status";
import { readWatch } from "@/lib/integrity/server/log-watch";
import { vkeyOf } from "@/lib/integrity/server/signer";
import { listVerifications } from "@/lib/integrity/server/verification-jobs";
import { readWitness } from "@/lib/integrity/server/witness-directory";
import { ClockAlarm } from "../clock-alarm";
import { Panel } from "../panel";
import {
  cancelVerificationAction,
  readVerificationAction,
  startVerificationAction,
} from "./actions";

export const metadata: Metadata = { title: "Integrity" };

const RUNS_SHOWN = 20;

const pageSchema = z.object({ before: z.coerce.number().int().min(1).optional() });

export default async function IntegrityPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const { org } = await props.params;
  const { before } = parseFields(pageSchema, await props.searchParams);
  const page = before === undefined ? {} : { before };
  const here = `/o/${org}/integrity`;
  const scope = await pageScope("page:/o/[org]/integrity", org);
  const [runs, head, watch, vkey] = await Promise.all([
    listVerifications(scope, RUNS_SHOWN),
    readLogHead(scope),
    readWatch(scope),
    vkeyOf(scope),
  ]);
  const latest = runs[0] ?? null;
  // A run under way or cut short does not take back the last verdict.
  const verdict =
    runs.find((run) => run.verdict && run.verdict.kind !== "nothing_checked")?.verdict ?? null;
  const from = verdict?.first_seq ?? 0;
  const marks = verdict ? await readCheckpointMarks(scope, from, head.nextSeq, STRIP_CELLS) : [];
  return (
    <>
      <IntegritySections organizationId={org} current="chain" />
      <ClockAlarm scope={scope} />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <VerifyPanel
          organizationId={org}
          latest={latest}
          nextSeq={head.nextSeq}
          watch={watch}
          actions={{
            start: startVerificationAction,
            cancel: cancelVerificationAction,
            read: readVerificationAction,
          }}
        />
        {verdict && <ChainStrip verdict={verdict} nextSeq={head.nextSeq} marks={marks} />}
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
                  witness={readWitness(scope)}
                />
              );
            }}
          />
        </div>
        <CheckElsewhere organizationId={org} vkey={vkey} />
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
