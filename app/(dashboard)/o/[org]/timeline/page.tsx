import type { Metadata } from "next";
import { timelineHref } from "@/components/events/participant";
import { SeenPart } from "@/components/events/seen-part";
import { ZoneToggle } from "@/components/events/zone-toggle";
import { PageHeader } from "@/components/shell/page-header";
import { Timeline, type TimelineState } from "@/components/timeline/timeline";
import { ButtonLink } from "@/components/ui/button-link";
import { ErrorPanel } from "@/components/ui/error-panel";
import type { Scope } from "@/lib/auth/scope";
import { pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import { parseTimelineSearch } from "@/lib/events/parse-subject";
import { getEvent } from "@/lib/events/server/get-event";
import { storedSight } from "@/lib/events/server/read-sight";
import { recordTimeline, recordView } from "@/lib/events/server/record-read";
import { describeSubject, readTimeline } from "@/lib/events/server/timeline";
import type { TimelineSearch } from "@/lib/events/subject";
import { currentRequest } from "@/lib/http/request-context";
import { readVerifiedTo } from "@/lib/integrity/server/log-status";
import { log } from "@/lib/log";
import { readEventAction } from "../events/actions";
import { readTimelineAction } from "./actions";

export const metadata: Metadata = { title: "Timeline" };

interface Props {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

async function readState(scope: Scope, timeline: TimelineSearch): Promise<TimelineState> {
  const { search, ...request } = timeline;
  try {
    const [page, subject, verifiedTo, detail] = await Promise.all([
      readTimeline(scope, {
        ...request,
        ...timeBounds(search.time, Date.now()),
        filter: search.filter,
      }),
      describeSubject(scope, request.subject),
      readVerifiedTo(scope),
      search.event ? getEvent(scope, search.event) : null,
    ]);
    await recordTimeline(scope, request.subject, search);
    await recordView(scope, detail);
    const showsDeliveries = scope.permissions.has("streams:read");
    return { kind: "ready", page, subject, verifiedTo, showsDeliveries, detail };
  } catch (error) {
    const requestId = currentRequest()?.requestId ?? "";
    if (!(error instanceof AppError)) log().error({ err: error }, "a part of a page failed");
    const message = error instanceof AppError ? error.message : "The database could not be read.";
    return { kind: "failed", message, requestId };
  }
}

export default async function TimelinePage(props: Props) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/timeline", org);
  const parsed = parseTimelineSearch(params);
  const header = (
    <PageHeader title="Timeline">
      <ZoneToggle />
    </PageHeader>
  );
  if (!parsed.ok) {
    const problems = parsed.problems.map((text) => text.replaceAll("`", ""));
    return (
      <>
        {header}
        <ErrorPanel
          title={parsed.subject ? "Query not run" : "Whose timeline?"}
          action={
            parsed.subject ? (
              <ButtonLink href={timelineHref(org, parsed.subject.role, parsed.subject)}>
                The whole timeline
              </ButtonLink>
            ) : (
              <ButtonLink href={`/o/${org}/events`}>Events</ButtonLink>
            )
          }
        >
          {problems.join(" ") || "The address names no actor or target. Open one from an event."}
        </ErrorPanel>
      </>
    );
  }
  const { subject } = parsed.search;
  return (
    <>
      {header}
      <SeenPart sight={scope.sight ? storedSight(scope.sight) : null}>
        <Timeline
          key={`${subject.role} ${subject.type} ${subject.id}`}
          organizationId={org}
          timeline={parsed.search}
          state={await readState(scope, parsed.search)}
          actions={{ list: readTimelineAction, read: readEventAction }}
        />
      </SeenPart>
    </>
  );
}
