import type { Metadata } from "next";
import { CreateKey } from "@/components/settings/create-key";
import { KeysTable } from "@/components/settings/keys-table";
import { PageHeader } from "@/components/shell/page-header";
import { pageScope } from "@/lib/auth/server/require-scope";
import { listApiKeys } from "@/lib/keys/server/api-keys";
import { createApiKeyAction, revokeApiKeyAction } from "./actions";

export const metadata: Metadata = { title: "API keys" };

export default async function KeysPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings/keys", org);
  const keys = await listApiKeys(scope);
  return (
    <>
      <PageHeader title="API keys" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <p className="max-w-[80ch] text-(--text-2)">
          Applications send events with a key. A key of this organization can only add events to it;
          it cannot read.
        </p>
        <CreateKey organizationId={org} create={createApiKeyAction} />
        <KeysTable organizationId={org} keys={keys} revoke={revokeApiKeyAction} />
      </div>
    </>
  );
}
