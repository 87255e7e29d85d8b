import type { Metadata } from "next";
import { IntegritySections } from "@/components/integrity/sections";
import { StreamList } from "@/components/streams/stream-list";
import { pageScope } from "@/lib/auth/server/require-scope";
import { listStreams } from "@/lib/streams/server/streams";
import { readStreamsAction } from "./actions";

export const metadata: Metadata = { title: "Streams" };

export default async function StreamsPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity/streams", org);
  const streams = await listStreams(scope);
  const isReadOnly = !scope.permissions.has("streams:manage");
  return (
    <>
      {!isReadOnly && <IntegritySections organizationId={org} current="streams" />}
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <StreamList
          organizationId={org}
          streams={streams}
          read={readStreamsAction}
          isReadOnly={isReadOnly}
        />
      </div>
    </>
  );
}
