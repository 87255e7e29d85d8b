import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { cache } from "react";
import { Explorer, type ListState } from "@/components/events/explorer";
import { OpenViewProvider } from "@/components/events/open-view";
import { SavedViews } from "@/components/events/saved-views";
import { SeenPart } from "@/components/events/seen-part";
import type { Page } from "@/components/events/use-event-list";
import { ZoneToggle } from "@/components/events/zone-toggle";
import { PageHeader } from "@/components/shell/page-header";
import type { Scope } from "@/lib/auth/scope";
import { pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { EMPTY_FILTER, type EventFilter } from "@/lib/events/filter/ast";
import { matches } from "@/lib/events/filter/match";
import { parseEventSearch } from "@/lib/events/filter/parse-url";
import { type EventSearch, timeBounds } from "@/lib/events/filter/url";
import type { EventDetail } from "@/lib/events/schema";
import { cursorBefore } from "@/lib/events/server/cursor";
import { getEvent } from "@/lib/events/server/get-event";
import { hasSentEvents } from "@/lib/events/server/ingestion-status";
import { FIRST_ANSWER_MS, listEvents } from "@/lib/events/server/list";
import { storedSight, whyRefused } from "@/lib/events/server/read-sight";
import { recordSearch, recordView } from "@/lib/events/server/record-read";
import { readHeadSeq } from "@/lib/events/server/tail";
import type { Sight } from "@/lib/events/sight";
import { currentRequest } from "@/lib/http/request-context";
import { readVerifiedTo } from "@/lib/integrity/server/log-status";
import { log } from "@/lib/log";
import { findDefaultView, findView } from "@/lib/views/server/views";
import { viewHref } from "@/lib/views/view";
import { ClockAlarm } from "../clock-alarm";
import { FirstEvent } from "../first-event";
import { copyEventsAction, listEventsAction, readColumnsAction, readEventAction } from "./actions";
import {
  createViewAction,
  deleteViewAction,
  markViewAction,
  readViewsAction,
  updateViewAction,
} from "./views/actions";

export const metadata: Metadata = { title: "Events" };

/** Asked for by the list, to stand at it, and by the drawer. */
const readEventOnce = cache(getEvent);

async function viewEvent(scope: Scope, id: string): Promise<EventDetail | null> {
  const event = await readEventOnce(scope, id);
  await recordView(scope, event);
  return event;
}

interface Props {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

async function readList(scope: Scope, params: Awaited<Props["searchParams"]>): Promise<ListState> {
  const parsed = parseEventSearch(params);
  if (!parsed.ok) {
    const { q, diagnostics, problems } = parsed;
    const rest = parseEventSearch({ ...params, q: undefined });
    return {
      kind: "not_run",
      q,
      rest: rest.ok ? rest.search : null,
      diagnostics,
      problems: problems.map(({ message }) => message),
    };
  }
  const { search } = parsed;
  try {
    // Before the list: what arrives in between is in the live tail, or in both.
    const headSeq = await readHeadSeq(scope);
    const page = await readPage(scope, search);
    const isFollowUp = Boolean(search.after || search.before);
    await recordSearch(scope, search, { isFollowUp });
    return { kind: "ready", search, page, headSeq: page.previous ? null : headSeq };
  } catch (error) {
    // A refused page position reads like a refused filter; whatever failed keeps the filter on screen.
    if (error instanceof AppError && error.code === "invalid_filter")
      return notRun(search, scope.sight, error.message);
    const requestId = currentRequest()?.requestId ?? "";
    if (!(error instanceof AppError)) log().error({ err: error }, "a part of a page failed");
    const message = error instanceof AppError ? error.message : "The database could not be read.";
    return { kind: "failed", search, message, requestId };
  }
}

/** A filter that was understood, and asks for what is hidden. */
function notRun(search: EventSearch, sight: Sight | undefined, problem: string): ListState {
  const diagnostics = search.filter.clauses.flatMap(({ condition }, index) => {
    const message = sight && whyRefused(sight.hidden, condition);
    const span = search.spans[index];
    const code = "hidden_field" as const;
    return message && span ? [{ code, message, span, suggestion: null }] : [];
  });
  const rest = { ...search, q: "", filter: EMPTY_FILTER, spans: [] };
  return { kind: "not_run", q: search.q, rest, diagnostics, problems: [problem] };
}

/**
 * The first page, or the one that begins with the open event where that is further down: who was given the
 * address sees the event among its neighbours.
 */
async function readPage(scope: Scope, search: EventSearch): Promise<Page> {
  const { filter, after, before, event: openId } = search;
  const bounds = timeBounds(search.time, Date.now());
  const request = { filter, ...bounds, after, before };
  const page = await listEvents(scope, request, { budgetMs: FIRST_ANSWER_MS });
  const isElsewhere = openId && !after && !before && page.next;
  if (!isElsewhere || page.rows.some(({ id }) => id === openId)) return page;
  const open = await readEventOnce(scope, openId);
  if (!open || !isInSearch(open, filter, bounds)) return page;
  return listEvents(
    scope,
    { ...request, after: cursorBefore(open) },
    { budgetMs: FIRST_ANSWER_MS },
  );
}

function isInSearch(
  { event, occurredAt }: EventDetail,
  filter: EventFilter,
  { from, to }: ReturnType<typeof timeBounds>,
): boolean {
  return (!from || occurredAt >= from) && (!to || occurredAt < to) && matches(filter, event);
}

export default async function EventsPage(props: Props) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/events", org);
  const isPerson = scope.permissions.has("views:manage");
  const isPlain = Object.keys(params).length === 0;
  if (isPerson && isPlain) {
    const chosen = await findDefaultView(scope);
    if (chosen) redirect(viewHref(org, chosen));
  }
  const state = await readList(scope, params);
  // What the log says of itself is there for who asks for it.
  const isEmpty =
    isPerson &&
    state.kind === "ready" &&
    (isPlain || state.page.rows.length === 0) &&
    !(await hasSentEvents(scope));
  if (isEmpty) {
    return (
      <>
        <PageHeader title="Events" />
        <FirstEvent scope={scope} />
      </>
    );
  }
  const openId = state.kind === "ready" ? state.search.event : null;
  const [detail, verifiedTo, view] = await Promise.all([
    openId ? viewEvent(scope, openId) : null,
    readVerifiedTo(scope),
    isPerson && typeof params.view === "string" ? findView(scope, params.view) : null,
  ]);
  return (
    <OpenViewProvider view={view}>
      <PageHeader
        title="Events"
        beside={
          isPerson && (
            <SavedViews
              organizationId={org}
              actions={{
                list: readViewsAction,
                create: createViewAction,
                update: updateViewAction,
                remove: deleteViewAction,
                mark: markViewAction,
              }}
            />
          )
        }
      >
        <ZoneToggle />
      </PageHeader>
      {isPerson && !scope.sight && <ClockAlarm scope={scope} />}
      <SeenPart sight={scope.sight ? storedSight(scope.sight) : null}>
        <Explorer
          organizationId={org}
          state={state}
          detail={detail}
          verifiedTo={verifiedTo}
          showsDeliveries={scope.permissions.has("streams:read")}
          canExport={scope.permissions.has("exports:manage")}
          actions={{
            list: listEventsAction,
            read: readEventAction,
            readColumns: readColumnsAction,
            copy: copyEventsAction,
          }}
        />
      </SeenPart>
    </OpenViewProvider>
  );
}
