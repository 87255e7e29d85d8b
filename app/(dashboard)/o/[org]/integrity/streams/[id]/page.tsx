import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { IntegritySections } from "@/components/integrity/sections";
import { StreamDetail } from "@/components/streams/stream-detail";
import { pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { getStream, listDeadLetters } from "@/lib/streams/server/streams";
import {
  deleteStreamAction,
  pauseStreamAction,
  readStreamAction,
  resumeStreamAction,
  testStreamAction,
  updateStreamAction,
} from "../actions";

export const metadata: Metadata = { title: "Stream" };

export default async function StreamPage(props: { params: Promise<{ org: string; id: string }> }) {
  const { org, id } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity/streams/[id]", org);
  const stream = await getStream(scope, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") notFound();
    throw error;
  });
  const deadLetters = await listDeadLetters(scope, id);
  return (
    <>
      <IntegritySections organizationId={org} current="streams" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-4 pb-8 max-sm:p-4">
        <p className="mb-3 text-[12px]">
          <Link
            href={`/o/${org}/integrity/streams`}
            className="text-(--text-2) underline decoration-(--border-control) underline-offset-[3px]"
          >
            All streams
          </Link>
        </p>
        <StreamDetail
          organizationId={org}
          stream={stream}
          deadLetters={deadLetters}
          actions={{
            read: readStreamAction,
            test: testStreamAction,
            pause: pauseStreamAction,
            resume: resumeStreamAction,
            remove: deleteStreamAction,
            update: updateStreamAction,
          }}
        />
      </div>
    </>
  );
}
