import type { Metadata } from "next";
import { StreamWizard } from "@/components/streams/wizard";
import { pageScope } from "@/lib/auth/server/require-scope";
import { destinationForms } from "@/lib/streams/registry";
import {
  checkDraftAction,
  createStreamAction,
  estimateRangeAction,
  previewStreamAction,
  testDraftAction,
} from "../actions";

export const metadata: Metadata = { title: "New stream" };

export default async function NewStreamPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  await pageScope("page:/o/[org]/integrity/streams/new", org);
  return (
    <StreamWizard
      organizationId={org}
      forms={destinationForms()}
      actions={{
        check: checkDraftAction,
        preview: previewStreamAction,
        test: testDraftAction,
        estimate: estimateRangeAction,
        create: createStreamAction,
      }}
    />
  );
}
