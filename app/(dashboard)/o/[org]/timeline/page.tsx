import type { Metadata } from "next";
import { ZoneToggle } from "@/components/events/zone-toggle";
import { PageHeader } from "@/components/shell/page-header";
import { Timeline } from "@/components/timeline/timeline";
import { ButtonLink } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { parseEventSearch, timeBounds } from "@/lib/events/filter/url";
import { readTimeline } from "@/lib/events/server/timeline";
import { parseSubject } from "@/lib/events/subject";
import { readVerifiedTo } from "@/lib/integrity/server/log-status";
import { readEventAction } from "../events/actions";
import { readTimelineAction } from "./actions";

export const metadata: Metadata = { title: "Timeline" };

interface Props {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function TimelinePage(props: Props) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/timeline", org);
  const subject = parseSubject(params);
  const search = parseEventSearch({ range: params.range, from: params.from, to: params.to });
  const header = (
    <PageHeader title="Timeline">
      <ZoneToggle />
    </PageHeader>
  );
  if (!subject || !search.ok) {
    return (
      <>
        {header}
        <ErrorPanel
          title="Whose timeline?"
          action={<ButtonLink href={`/o/${org}/events`}>Events</ButtonLink>}
        >
          {search.ok
            ? "The address names no actor or target. Open one from an event."
            : search.problems.map(({ message }) => message.replaceAll("`", "")).join(" ")}
        </ErrorPanel>
      </>
    );
  }
  const { time } = search.search;
  const [page, verifiedTo] = await Promise.all([
    readTimeline(scope, subject, timeBounds(time, Date.now())),
    readVerifiedTo(scope),
  ]);
  return (
    <>
      {header}
      <Timeline
        key={`${subject.role} ${subject.type} ${subject.id}`}
        organizationId={org}
        subject={subject}
        time={time}
        first={page}
        verifiedTo={verifiedTo}
        actions={{ list: readTimelineAction, read: readEventAction }}
      />
    </>
  );
}
