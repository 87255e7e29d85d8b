import type { Metadata } from "next";
import { z } from "zod";
import { formatMoment } from "@/components/integrity/words";
import { formatDay } from "@/components/overview/words";
import { DeletionHistory } from "@/components/settings/deletion-history";
import { LegalHolds } from "@/components/settings/legal-holds";
import { ReadSamplingForm } from "@/components/settings/read-sampling-form";
import { RetentionForm } from "@/components/settings/retention-form";
import { RetentionState } from "@/components/settings/retention-state";
import { PageHeader } from "@/components/shell/page-header";
import { pageScope } from "@/lib/auth/server/require-scope";
import { readLastBackup } from "@/lib/backup/server/last-backup";
import { readSampling } from "@/lib/events/server/record-read";
import { readOrganization } from "@/lib/orgs/server/directory";
import { listRuns, previewRetention, readRetentionOverview } from "@/lib/retention/server/overview";
import {
  placeHoldAction,
  previewRetentionAction,
  releaseHoldAction,
  setReadSamplingAction,
  setRetentionAction,
} from "./actions";

export const metadata: Metadata = { title: "Settings" };

const searchSchema = z.object({
  /** Deletions that left the log to begin below this number. */
  deletions_below: z.coerce.number().int().positive().optional().catch(undefined),
});

const HEADING = "mt-8 mb-2 text-[14px] font-semibold tracking-[-0.012em]";

interface Props {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function SettingsPage(props: Props) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings", org);
  const { deletions_below: below } = searchSchema.parse(await props.searchParams);
  const [organization, retention, history, newest, backup, sampling] = await Promise.all([
    readOrganization(scope),
    readRetentionOverview(scope),
    listRuns(scope, { below }),
    listRuns(scope, { limit: 1 }),
    readLastBackup(scope),
    readSampling(scope),
  ]);
  const { policy } = retention;
  const own = policy.source === "organization" ? policy.days : null;
  const facts = {
    Name: organization.name,
    Id: <code className="font-mono text-[12px] break-all">{organization.id}</code>,
    "External id": organization.external_id ?? "none",
    Domains: organization.domains.map(({ domain }) => domain).join(", ") || "none",
    Created: formatDay(organization.created_at),
    "Last backup": backup
      ? `${formatMoment(backup.covers_until)}, of the whole server`
      : "none was made with trailseal backup",
  };
  return (
    <>
      <PageHeader title="Settings" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <dl className="max-w-[560px] border-t border-(--border)">
          {Object.entries(facts).map(([term, fact]) => (
            <div
              key={term}
              className="grid min-h-8 grid-cols-[7.5rem_minmax(0,1fr)] items-center gap-3 border-b border-(--border)"
            >
              <dt className="text-(--text-2)">{term}</dt>
              <dd className="min-w-0 break-words">{fact}</dd>
            </div>
          ))}
        </dl>
        <h2 className={HEADING}>Retention</h2>
        <RetentionForm
          key={`${own} ${policy.undelivered} ${policy.contradiction === null}`}
          organizationId={org}
          days={own}
          undelivered={policy.undelivered}
          isSealed={policy.contradiction === null}
          defaultDays={policy.defaultDays}
          graceDays={policy.graceDays}
          preview={await previewRetention(scope, own)}
          readPreview={previewRetentionAction}
          save={setRetentionAction}
        />
        <RetentionState organizationId={org} overview={retention} last={newest.runs[0] ?? null} />
        <h2 className={HEADING}>Self-audit</h2>
        <ReadSamplingForm
          key={sampling}
          organizationId={org}
          sampling={sampling}
          save={setReadSamplingAction}
        />
        <h2 className={HEADING}>Legal holds</h2>
        <LegalHolds
          organizationId={org}
          holds={retention.holds}
          place={placeHoldAction}
          release={releaseHoldAction}
        />
        <h2 id="deletions" className={HEADING}>
          Deletions
        </h2>
        <DeletionHistory runs={history.runs} older={history.older} isOlder={below !== undefined} />
      </div>
    </>
  );
}
