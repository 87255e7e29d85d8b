import { DayBars } from "@/components/overview/day-bars";
import { CountLink, Ranking } from "@/components/overview/ranking";
import { changeWords, formatDay, periodWords } from "@/components/overview/words";
import type { Scope } from "@/lib/auth/scope";
import { eventsHref, queryOf } from "@/lib/overview/links";
import type { Period } from "@/lib/overview/period";
import {
  COUNT_CAP,
  readNewActors,
  readTopActors,
  sampleActors,
} from "@/lib/overview/server/actors";
import { readDays, readFailures, readTopActions } from "@/lib/overview/server/counts";
import { Panel } from "./panel";

const ACTIONS_SHOWN = 5;

const count = (value: number) => value.toLocaleString("en-US");

/** What happened in the period, every number a link to its events. */
export function PeriodPanels(props: { scope: Scope; period: Period; here: string }) {
  const { scope, period, here } = props;
  const org = scope.organizationId;
  const { from, to, before } = period;
  const now = (q: string, start = from) => eventsHref(org, { q, from: start, to });
  const earlier = (q: string) => eventsHref(org, { q, from: before, to: from });
  const words = periodWords(period);
  // Both lists of actors read from one sample; each awaits it, and fails, for itself.
  let sampling: ReturnType<typeof sampleActors> | undefined;
  const sample = () => {
    sampling ??= sampleActors(scope, period);
    return sampling;
  };
  return (
    <>
      <Panel
        title="Events"
        note={`${words}, days in UTC`}
        here={here}
        read={async () => {
          const { days, behind, ...total } = await readDays(scope, period);
          const busiest = days.reduce((most, day) => (day.events > most.events ? day : most));
          return (
            <>
              <p className="max-w-[90ch] text-(--text-2)">
                <CountLink events={total.now} href={now("")} /> events,{" "}
                {total.before > 0 ? (
                  <>
                    {changeWords(total.now, total.before)} against the{" "}
                    <CountLink events={total.before} href={earlier("")} />
                  </>
                ) : (
                  "none"
                )}{" "}
                in the {period.days} days before. Most on {formatDay(busiest.from)}:{" "}
                <CountLink events={busiest.events} href={eventsHref(org, busiest)} />.
                {behind > 0 &&
                  ` The ${count(behind)} events received last are not counted yet: counting is behind.`}
              </p>
              <DayBars days={days.map((day) => ({ ...day, href: eventsHref(org, day) }))} />
            </>
          );
        }}
      />
      <div className="grid grid-cols-2 gap-8 max-lg:grid-cols-[minmax(0,1fr)]">
        <Panel
          title="Actors"
          note={`most events, ${words}`}
          here={here}
          read={async () => {
            const found = await sample();
            const actors = await readTopActors(scope, period, found);
            return (
              <>
                <Ranking
                  cap={COUNT_CAP}
                  rows={actors.map(({ id, name, now: events, before: past }) => ({
                    key: id,
                    label: name ?? id,
                    isMono: !name,
                    title: id,
                    events,
                    href: now(queryOf("actor", id)),
                    before:
                      past === null ? null : { events: past, href: earlier(queryOf("actor", id)) },
                  }))}
                />
                {!found.isWhole && (
                  <p className="mt-2 text-[12px] text-(--text-2)">
                    Found in a sample of {count(found.events)} events, the newest of each day;
                    counted in full, up to {count(COUNT_CAP)}.
                  </p>
                )}
              </>
            );
          }}
        />
        <Panel
          title="Actions"
          note={`most events, ${words}`}
          here={here}
          read={async () => (
            <Ranking
              rows={(await readTopActions(scope, period, ACTIONS_SHOWN)).map(
                ({ action, now: events, before: past }) => ({
                  key: action,
                  label: action,
                  isMono: true,
                  title: action,
                  events,
                  href: now(queryOf("action", action)),
                  before: { events: past, href: earlier(queryOf("action", action)) },
                }),
              )}
            />
          )}
        />
        <Panel
          title="New actors"
          note="without an event before these days"
          here={here}
          read={async () => {
            const { recent, isWhole, actors } = await sample();
            const { found, looked, actors: fresh } = await readNewActors(scope, period, { recent });
            const isAll = isWhole && looked === actors;
            const among = isAll
              ? `Of ${count(looked)} actors`
              : `Of ${count(looked)} actors looked at, the last active of ${isWhole ? count(actors) : `a sample with ${count(actors)}`},`;
            return (
              <>
                <p className="mb-2 text-(--text-2)">
                  {among} {found === 0 ? "none is" : found === 1 ? "1 is" : `${count(found)} are`}{" "}
                  new
                  {found > fresh.length ? `; the last active ${fresh.length}:` : "."}
                </p>
                {fresh.length > 0 && (
                  <Ranking
                    cap={COUNT_CAP}
                    rows={fresh.map(({ id, name, events, firstAt }) => ({
                      key: id,
                      label: name ?? id,
                      isMono: !name,
                      title: id,
                      events,
                      href: now(queryOf("actor", id)),
                      note: `first on ${formatDay(firstAt)}, ${firstAt.slice(11, 19)}`,
                    }))}
                  />
                )}
              </>
            );
          }}
        />
        <Panel
          title="Denied or failed"
          note={words}
          here={here}
          read={async () => {
            const failures = await readFailures(scope, period);
            const isPart = failures.some(({ from: start }) => start !== from);
            return (
              <>
                <Ranking
                  rows={failures.map(({ rule, now: events, before: past, from: start }) => ({
                    key: rule.q,
                    label: rule.label,
                    title: rule.q,
                    events,
                    href: now(rule.q, start),
                    before: past === null ? null : { events: past, href: earlier(rule.q) },
                    ...(start === from
                      ? {}
                      : { note: `since ${formatDay(start)}, ${start.slice(11, 19)}` }),
                  }))}
                />
                {isPart && (
                  <p className="mt-2 text-[12px] text-(--text-2)">
                    Errors are read from metadata, of the newest events only: since the time given.
                  </p>
                )}
              </>
            );
          }}
        />
      </div>
    </>
  );
}
