import type { Metadata } from "next";
import { StreamList } from "@/components/streams/stream-list";
import { pageScope } from "@/lib/auth/server/require-scope";
import { readViews } from "@/lib/streams/server/health";
import { readStreamsAction } from "./actions";

export const metadata: Metadata = { title: "Streams" };

export default async function StreamsPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity/streams", org);
  return (
    <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
      <StreamList
        organizationId={org}
        views={await readViews(scope)}
        canManage={scope.permissions.has("streams:manage")}
        read={readStreamsAction}
      />
    </div>
  );
}
