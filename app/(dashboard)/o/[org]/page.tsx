import type { Metadata } from "next";
import Link from "next/link";
import { LogFacts, StreamRows, Verdict } from "@/components/overview/health";
import { formatDay, periodWords } from "@/components/overview/words";
import { PageHeader } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { readLogHead } from "@/lib/integrity/server/log-status";
import { listVerifications } from "@/lib/integrity/server/verification-jobs";
import { overviewHref } from "@/lib/overview/links";
import { type Period, parsePeriod, periodEndingAt, ranges } from "@/lib/overview/period";
import { readIngestion, readNewest } from "@/lib/overview/server/ingestion";
import { listStreams } from "@/lib/streams/server/streams";
import { ClockAlarm } from "./clock-alarm";
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
  const parsed = parsePeriod({ range, from, to }, Date.now());
  if (!parsed.ok) {
    return (
      <>
        <PageHeader title="Overview" />
        <ErrorPanel
          title="Which days?"
          action={<ButtonLink href={`/o/${org}`}>The last 30 days</ButtonLink>}
        >
          {parsed.message.replaceAll("`", "")}
        </ErrorPanel>
      </>
    );
  }
  const { period } = parsed;
  // When even this fails, each panel says so for itself.
  const newest = await readNewest(scope, period).catch(() => null);
  if (newest?.ever === null) {
    return (
      <>
        <PageHeader title="Overview" />
        <FirstEvent organizationId={org} />
      </>
    );
  }
  const here = overviewHref(org, period.range ?? period);
  return (
    <>
      <PageHeader title="Overview">
        <PeriodChoice organizationId={org} period={period} />
      </PageHeader>
      <ClockAlarm scope={scope} />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <div className="grid max-w-[1240px] grid-cols-[minmax(0,1fr)] gap-8">
          {scope.permissions.has("integrity:read") && (
            <Panel
              title="Integrity"
              isTitleHidden
              here={here}
              read={async () => {
                const [runs, { nextSeq }] = await Promise.all([
                  listVerifications(scope, RUNS_READ),
                  readLogHead(scope),
                ]);
                return <Verdict organizationId={org} runs={runs} nextSeq={nextSeq} />;
              }}
            />
          )}
          {newest?.ever && newest.within === null ? (
            <EmptyPeriod organizationId={org} period={period} newest={newest.ever} />
          ) : (
            <PeriodPanels scope={scope} period={period} here={here} />
          )}
          <div className="grid grid-cols-2 gap-8 max-lg:grid-cols-[minmax(0,1fr)]">
            {scope.permissions.has("streams:read") && (
              <Panel
                title="Streams"
                here={here}
                read={async () => (
                  <StreamRows organizationId={org} streams={await listStreams(scope)} />
                )}
              />
            )}
            <Panel
              title="Log"
              note="times in UTC"
              here={here}
              read={async () => <LogFacts organizationId={org} {...(await readIngestion(scope))} />}
            />
          </div>
        </div>
      </div>
    </>
  );
}

function PeriodChoice(props: { organizationId: string; period: Period }) {
  return (
    <nav
      aria-label="Period"
      className="inline-flex overflow-hidden rounded-[5px] border border-(--border-strong)"
    >
      {ranges.map((range) => (
        <Link
          key={range}
          href={overviewHref(props.organizationId, range)}
          aria-current={range === props.period.range ? "page" : undefined}
          className="grid h-7 place-items-center px-2.5 text-(--text-2) focus-visible:shadow-(--focus-inset) focus-visible:outline-none aria-[current]:bg-(--sunken) aria-[current]:font-medium aria-[current]:text-(--text) max-sm:h-11 max-sm:px-3.5"
        >
          {range}
        </Link>
      ))}
    </nav>
  );
}

/** Imported history ends before the period begins: says so, and offers the days it is about. */
function EmptyPeriod(props: { organizationId: string; period: Period; newest: string }) {
  const { organizationId, period, newest } = props;
  const ending = periodEndingAt(newest, period.days);
  return (
    <section aria-label="Events" className="grid justify-items-start gap-3">
      <h2 className="text-[14px] font-semibold">No events in these days: {periodWords(period)}</h2>
      <p className="max-w-[80ch] text-(--text-2)">
        {newest < period.from
          ? `The newest event occurred on ${formatDay(newest)}, before these days begin: the log holds history.`
          : `The newest event occurred on ${formatDay(newest)}.`}
      </p>
      <p className="flex flex-wrap gap-2">
        <ButtonLink variant="primary" href={overviewHref(organizationId, ending)}>
          {period.days} {period.days === 1 ? "day" : "days"} up to {formatDay(newest)}
        </ButtonLink>
        <ButtonLink href={`/o/${organizationId}/events`}>Newest events</ButtonLink>
      </p>
    </section>
  );
}
