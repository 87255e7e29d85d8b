import type { Metadata } from "next";
import { IntegritySections } from "@/components/integrity/sections";
import { NewStream } from "@/components/streams/new-stream";
import { pageScope } from "@/lib/auth/server/require-scope";
import { createStreamAction, testDraftAction } from "../actions";

export const metadata: Metadata = { title: "New stream" };

export default async function NewStreamPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  await pageScope("page:/o/[org]/integrity/streams/new", org);
  return (
    <>
      <IntegritySections organizationId={org} current="streams" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <NewStream organizationId={org} test={testDraftAction} create={createStreamAction} />
      </div>
    </>
  );
}
