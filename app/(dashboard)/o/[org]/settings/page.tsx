import type { Metadata } from "next";
import { formatDay } from "@/components/overview/words";
import { RetentionForm } from "@/components/settings/retention-form";
import { PageHeader } from "@/components/shell/page-header";
import { pageScope } from "@/lib/auth/server/require-scope";
import { readOrganization } from "@/lib/orgs/server/directory";
import { previewRetention, readRetention } from "@/lib/orgs/server/retention";
import { previewRetentionAction, setRetentionAction } from "./actions";

export const metadata: Metadata = { title: "Settings" };

export default async function SettingsPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings", org);
  const [organization, days] = await Promise.all([readOrganization(scope), readRetention(scope)]);
  const facts = {
    Name: organization.name,
    Id: <code className="font-mono text-[12px] break-all">{organization.id}</code>,
    "External id": organization.external_id ?? "none",
    Domains: organization.domains.map(({ domain }) => domain).join(", ") || "none",
    Created: formatDay(organization.created_at),
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
        <h2 className="mt-8 mb-2 text-[14px] font-semibold tracking-[-0.012em]">Retention</h2>
        <RetentionForm
          organizationId={org}
          days={days}
          preview={await previewRetention(scope, days)}
          readPreview={previewRetentionAction}
          save={setRetentionAction}
        />
      </div>
    </>
  );
}
