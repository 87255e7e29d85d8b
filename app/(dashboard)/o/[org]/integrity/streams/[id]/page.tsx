import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { StoreComparison } from "@/components/streams/store-comparison";
import { StreamDetail } from "@/components/streams/stream-detail";
import { pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { readReconciliation } from "@/lib/integrity/server/reconcile";
import { destinationForms } from "@/lib/streams/registry";
import { readView } from "@/lib/streams/server/health";
import {
  cancelLaneAction,
  deleteStreamAction,
  discardDeadLettersAction,
  estimateRangeAction,
  listAttemptsAction,
  listDeadLettersAction,
  moveCursorAction,
  pauseStreamAction,
  readLanesAction,
  readStreamAction,
  redriveAction,
  resumeStreamAction,
  rotateSecretAction,
  startBackfillAction,
  testStreamAction,
  updateStreamAction,
} from "../actions";

export const metadata: Metadata = { title: "Stream" };

export default async function StreamPage(props: { params: Promise<{ org: string; id: string }> }) {
  const { org, id } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity/streams/[id]", org);
  const view = await readView(scope, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") notFound();
    throw error;
  });
  const { isPossible, latest } = await readReconciliation(scope, id);
  const form = destinationForms().find(({ id: kind }) => kind === view.stream.destination);
  if (!form) throw new Error(`the destination ${view.stream.destination} has no form`);
  return (
    <div className="min-h-0 flex-1 overflow-auto px-8 pt-4 pb-8 max-sm:p-4">
      <StreamDetail
        organizationId={org}
        view={view}
        form={form}
        actions={{
          read: readStreamAction,
          test: testStreamAction,
          pause: pauseStreamAction,
          resume: resumeStreamAction,
          remove: deleteStreamAction,
          update: updateStreamAction,
          rotateSecret: rotateSecretAction,
          listAttempts: listAttemptsAction,
          listDeadLetters: listDeadLettersAction,
          redrive: redriveAction,
          discard: discardDeadLettersAction,
          readLanes: readLanesAction,
          startBackfill: startBackfillAction,
          cancelLane: cancelLaneAction,
          estimate: estimateRangeAction,
          moveCursor: moveCursorAction,
        }}
      >
        {isPossible && <StoreComparison latest={latest} />}
      </StreamDetail>
    </div>
  );
}
