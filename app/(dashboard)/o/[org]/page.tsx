import type { Metadata } from "next";
import Link from "next/link";
import { formatMoment, formatSeq } from "@/components/integrity/words";
import { StreamRows, Verdict } from "@/components/overview/health";
import { count, formatDay, periodWords } from "@/components/overview/words";
import { PageHeader } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button-link";
import { ErrorPanel } from "@/components/ui/error-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { hasSentEvents } from "@/lib/events/server/ingestion-status";
import { readLogHead } from "@/lib/integrity/server/log-status";
import { listVerifications } from "@/lib/integrity/server/verification-jobs";
import { overviewHref } from "@/lib/overview/links";
import { type Period, parsePeriod, periodEndingAt, ranges } from "@/lib/overview/period";
import { type Ingestion, readIngestion, readNewest } from "@/lib/overview/server/ingestion";
import { listStreams } from "@/lib/streams/server/streams";
import { ClockAlarm, clockWarnings } from "./clock-alarm";
import { FirstEvent } from "./first-event";
import { Panel } from "./panel";
import { PeriodPanels } from "./period-panels";

export const metadata: Metadata = { title: "Overview" };

const RUNS_READ = 20;

interface Props {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function OverviewPage(props: Props) {
  const [{ org }, { range, from, to }] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]", org);
  const base = `/o/${org}`;
  const parsed = parsePeriod({ range, from, to }, Date.now());
  // When even this read fails, each panel says so for itself.
  const newest = parsed.ok ? await readNewest(scope, parsed.period).catch(() => null) : null;
  const isEmpty = newest !== null && !(await hasSentEvents(scope));
  if (!parsed.ok || isEmpty) {
    return (
      <>
        <PageHeader title="Overview" />
        {parsed.ok ? (
          <FirstEvent scope={scope} />
        ) : (
          <ErrorPanel
            title="Which days?"
            action={<ButtonLink href={base}>The last 30 days</ButtonLink>}
          >
            {parsed.message.replaceAll("`", "")}
          </ErrorPanel>
        )}
      </>
    );
  }
  const { period } = parsed;
  const here = overviewHref(org, period.range ?? period);
  const verdict = async () => {
    const runs = await listVerifications(scope, RUNS_READ);
    const { nextSeq } = await readLogHead(scope);
    return <Verdict href={`${base}/integrity`} runs={runs} nextSeq={nextSeq} />;
  };
  const streams = async () => (
    <StreamRows
      href={`${base}/integrity/streams`}
      streams={await listStreams(scope)}
      canManage={scope.permissions.has("streams:manage")}
    />
  );
  const readsEvents = scope.permissions.has("events:read");
  const log = async () => (
    <LogFacts base={readsEvents ? base : null} {...(await readIngestion(scope))} />
  );
  return (
    <>
      <PageHeader title="Overview">
        <PeriodChoice organizationId={org} period={period} />
      </PageHeader>
      <ClockAlarm scope={scope} />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <div className="grid max-w-[1240px] grid-cols-[minmax(0,1fr)] gap-8">
          {scope.permissions.has("integrity:read") && (
            <Panel title="Integrity" here={here} read={verdict} />
          )}
          {newest?.ever && newest.within === null ? (
            <EmptyPeriod
              organizationId={org}
              period={period}
              newest={newest.ever}
              readsEvents={readsEvents}
            />
          ) : (
            readsEvents && <PeriodPanels scope={scope} period={period} here={here} />
          )}
          <div className="grid grid-cols-2 gap-8 max-lg:grid-cols-[minmax(0,1fr)]">
            {scope.permissions.has("streams:read") && (
              <Panel title="Streams" here={here} read={streams} />
            )}
            <Panel title="Log" note="times in UTC" here={here} read={log} />
          </div>
        </div>
      </div>
    </>
  );
}

function PeriodChoice(props: { organizationId: string; period: Period }) {
  return (
    <nav aria-label="Period" className="flex gap-1">
      {ranges.map((range) => (
        <ButtonLink
          key={range}
          href={overviewHref(props.organizationId, range)}
          variant={range === props.period.range ? "secondary" : "quiet"}
          aria-current={range === props.period.range ? "page" : undefined}
        >
          {range}
        </ButtonLink>
      ))}
    </nav>
  );
}

/** Imported history ends before the period begins: says so, and offers the days it is about. */
function EmptyPeriod(props: {
  organizationId: string;
  period: Period;
  newest: string;
  readsEvents: boolean;
}) {
  const { organizationId, period, newest } = props;
  const day = formatDay(newest);
  return (
    <section aria-label="Events" className="grid justify-items-start gap-3">
      <h2 className="text-[14px] font-semibold">No events in these days: {periodWords(period)}</h2>
      <p className="text-(--text-2)">
        The newest event occurred on {day}
        {newest < period.from && ", before these days begin: the log holds history"}.
      </p>
      <p className="flex flex-wrap gap-2">
        <ButtonLink
          variant="primary"
          href={overviewHref(organizationId, periodEndingAt(newest, period.days))}
        >
          {period.days} {period.days === 1 ? "day" : "days"} up to {day}
        </ButtonLink>
        {props.readsEvents && (
          <ButtonLink href={`/o/${organizationId}/events?view=none`}>Newest events</ButtonLink>
        )}
      </p>
    </section>
  );
}

/** How events arrive; `base` is null for who may not open them. */
function LogFacts({ base, last, lastHour, clocks }: Ingestion & { base: string | null }) {
  const areOff = clockWarnings(clocks).length > 0;
  const facts = {
    "Last received": last ? formatMoment(last.recordedAt) : "nothing yet",
    "In the last hour": `${count(lastHour)} received, ${count(Math.round(lastHour / 6) / 10)} a minute`,
    Clocks: areOff ? "differ: see the warning above" : "agree",
    "Newest number":
      last &&
      (base === null ? (
        formatSeq(last.seq)
      ) : (
        <Link
          href={`${base}/events?event=${last.id}`}
          prefetch={false}
          className="underline underline-offset-3 max-sm:inline-block max-sm:py-3"
        >
          {formatSeq(last.seq)}
        </Link>
      )),
  };
  return (
    <dl className="grid border-t border-(--border) tabular-nums">
      {Object.entries(facts).map(([term, fact]) => (
        <div
          key={term}
          className="grid min-h-8 grid-cols-[7.5rem_minmax(0,1fr)] items-center gap-3 border-b border-(--border)"
        >
          <dt className="text-(--text-2)">{term}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}
