import { DayBars } from "@/components/overview/day-bars";
import { CountLink, type RankedRow, Ranking } from "@/components/overview/ranking";
import {
  changeWords,
  count,
  formatDay,
  formatTime,
  periodWords,
} from "@/components/overview/words";
import type { Scope } from "@/lib/auth/scope";
import { eventsHref, queryOf } from "@/lib/overview/links";
import type { Period } from "@/lib/overview/period";
import { COUNT_CAP, readActors } from "@/lib/overview/server/actors";
import { readDays, readFailures, readTopActions } from "@/lib/overview/server/counts";
import { readKeys } from "@/lib/overview/server/keys";
import { Panel } from "./panel";

const ACTIONS_SHOWN = 5;
const NOTE = "mt-2 text-[12px] text-(--text-2)";

/** What happened in the period, every number a link to its events. */
export function PeriodPanels(props: { scope: Scope; period: Period; here: string }) {
  const { scope, period, here } = props;
  const { from, to, before } = period;
  const words = periodWords(period);

  const toRow = (
    q: string,
    {
      now,
      before: past,
      from: start = from,
    }: { now: number; before: number | null; from?: string },
    look: Pick<RankedRow, "label"> & Partial<RankedRow>,
  ): RankedRow => ({
    key: q,
    events: now,
    href: eventsHref(scope.organizationId, { q, from: start, to }),
    before: past,
    beforeHref: eventsHref(scope.organizationId, { q, from: before, to: from }),
    ...look,
  });

  const days = async () => {
    const counts = await readDays(scope, period);
    const linked = counts.days.map((day) => ({
      ...day,
      href: eventsHref(scope.organizationId, day),
    }));
    const busiest = linked.reduce((most, day) => (day.events > most.events ? day : most));
    const total = toRow("", counts, { label: "" });
    return (
      <>
        <p className="text-(--text-2)">
          <CountLink events={counts.now} href={total.href} />{" "}
          {[counts.now === 1 ? "event" : "events", changeWords(counts.now, counts.before)]
            .filter(Boolean)
            .join("; ")}{" "}
          against <CountLink events={counts.before} href={total.beforeHref} /> in the {period.days}{" "}
          days before. Most on {formatDay(busiest.from)}:{" "}
          <CountLink events={busiest.events} href={busiest.href} />.
          {counts.behind > 0 &&
            ` The ${count(counts.behind)} events received last are not counted yet: counting is behind.`}
        </p>
        <DayBars days={linked} />
      </>
    );
  };

  const actors = async () => {
    const {
      top,
      fresh,
      found,
      looked,
      actors: all,
      events,
      isWhole,
    } = await readActors(scope, period);
    const rowOf = (actor: (typeof top)[number], look: Partial<RankedRow> = {}) =>
      toRow(queryOf("actor", actor.id), actor, {
        label: actor.name ?? actor.id,
        isMono: !actor.name,
        title: actor.id,
        ...look,
      });
    return (
      <>
        <Ranking cap={COUNT_CAP} rows={top.map((actor) => rowOf(actor))} />
        {!isWhole && (
          <p className={NOTE}>
            Found in a sample of {count(events)} events, the newest of each day; counted in full, up
            to {count(COUNT_CAP)}.
          </p>
        )}
        <h3 className="mt-5 mb-2 font-medium">
          New: {count(found)} of {count(looked)}{" "}
          {isWhole && looked === all
            ? "actors"
            : `last active actors, of ${count(all)} in the sample`}
          {found > fresh.length && `; the last active ${fresh.length}`}
        </h3>
        <Ranking
          cap={COUNT_CAP}
          rows={fresh.map((actor) => {
            const first = new Date(actor.firstMs).toISOString();
            return rowOf(actor, { note: `first ${formatTime(first)}`, before: null });
          })}
        />
      </>
    );
  };

  const actions = async () => (
    <Ranking
      rows={(await readTopActions(scope, period, ACTIONS_SHOWN)).map(({ action, ...counts }) =>
        toRow(queryOf("action", action), counts, { label: action, isMono: true, title: action }),
      )}
    />
  );

  const failures = async () => (
    <Ranking
      rows={(await readFailures(scope, period)).map(({ rule, ...counts }) =>
        toRow(rule.q, counts, {
          label: rule.label,
          title: rule.q,
          // Errors are read from metadata, of the newest events only.
          ...(counts.from === from
            ? {}
            : { note: `newest events only, since ${formatTime(counts.from)}` }),
        }),
      )}
    />
  );

  const keys = async () => {
    const used = await readKeys(scope, period);
    if (used.length === 0) return <p className={NOTE}>Nothing was sent with a key.</p>;
    return (
      <Ranking
        rows={used.map(({ id, name, events }) => ({
          key: id,
          label: name ?? id,
          title: id,
          events,
          before: null,
          href: null,
          beforeHref: "",
        }))}
      />
    );
  };

  return (
    <>
      <Panel title="Events" note={`${words}, days in UTC`} here={here} read={days} />
      <div className="grid grid-cols-2 items-start gap-8 max-lg:grid-cols-[minmax(0,1fr)]">
        <Panel title="Actors" note={`most events, ${words}`} here={here} read={actors} />
        <div className="grid grid-cols-[minmax(0,1fr)] gap-8">
          <Panel title="Actions" note={`most events, ${words}`} here={here} read={actions} />
          <Panel title="Denied or failed" note={words} here={here} read={failures} />
          {scope.permissions.has("keys:manage") && (
            <Panel title="Events by key" note={`received in ${words}`} here={here} read={keys} />
          )}
        </div>
      </div>
    </>
  );
}
