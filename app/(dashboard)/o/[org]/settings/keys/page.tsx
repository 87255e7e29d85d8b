import type { Metadata } from "next";
import { CreateKey } from "@/components/settings/create-key";
import { KeysTable } from "@/components/settings/keys-table";
import { PageHeader } from "@/components/shell/page-header";
import { currentInstanceScope, pageScope } from "@/lib/auth/server/require-scope";
import { listApiKeys } from "@/lib/keys/server/api-keys";
import {
  createApiKeyAction,
  createInstanceApiKeyAction,
  revokeApiKeyAction,
  revokeInstanceApiKeyAction,
  rotateApiKeyAction,
  rotateInstanceApiKeyAction,
} from "./actions";

export const metadata: Metadata = { title: "API keys" };

export default async function KeysPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings/keys", org);
  const instance = await currentInstanceScope("action:createInstanceApiKey");
  const keys = await listApiKeys(scope);
  const instanceKeys = instance ? await listApiKeys(instance) : [];
  return (
    <>
      <PageHeader title="API keys" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <p className="max-w-[80ch] text-(--text-2)">
          Applications send events with a key. A key of this organization reaches no other, and may
          only what is ticked here.
        </p>
        <CreateKey
          organizationId={org}
          create={createApiKeyAction}
          createForInstance={instance ? createInstanceApiKeyAction : undefined}
        />
        <KeysTable
          organizationId={org}
          keys={[...keys, ...instanceKeys.filter((key) => key.organizationId === null)]}
          actions={{ revoke: revokeApiKeyAction, rotate: rotateApiKeyAction }}
          instanceActions={{
            revoke: revokeInstanceApiKeyAction,
            rotate: rotateInstanceApiKeyAction,
          }}
        />
      </div>
    </>
  );
}
