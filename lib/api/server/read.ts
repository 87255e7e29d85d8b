import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import { getEvent } from "@/lib/events/server/get-event";
import { listEvents } from "@/lib/events/server/list";
import { recordSearch, recordView } from "@/lib/events/server/record-read";
import { searchOf } from "@/lib/events/server/search-of";
import { readWireEvents } from "@/lib/events/server/selected-events";
import { readLogHead, readVerifiedTo } from "@/lib/integrity/server/log-status";
import { listCheckpoints } from "@/lib/integrity/server/proofs";
import { vkeyOf } from "@/lib/integrity/server/signer";
import { listVerifications } from "@/lib/integrity/server/verification-jobs";
import { CONTRACT_STATE } from "@/lib/streams/contract";
import { contractTypeOf } from "@/lib/streams/registry";
import { listStreams } from "@/lib/streams/server/streams";
import type {
  CheckpointList,
  EventDetailBody,
  EventList,
  StreamList,
  VerificationStatus,
} from "../schema";

const SEARCH_PARAMS = ["q", "range", "from", "to", "after", "before"];

/** A page of events by the dashboard's filter language. */
export async function readEvents(
  scope: Scope,
  params: URLSearchParams,
  limit: number,
): Promise<EventList> {
  const search = [...params].filter(([name]) => SEARCH_PARAMS.includes(name));
  const { filter, time, after, before } = searchOf(new URLSearchParams(search));
  const bounds = timeBounds(time, Date.now());
  const isFollowUp = Boolean(after || before);
  const page = await listEvents(scope, { filter, ...bounds, after, before, limit });
  const wire = await readWireEvents(
    scope,
    page.rows.map(({ id }) => id),
  );
  await recordSearch(scope, { filter, time }, { isFollowUp });
  const eventOf = new Map(wire.map((event) => [event.id, event]));
  return {
    object: "list",
    data: page.rows.map(({ id, seq, recordedAt }) => ({
      seq,
      recorded_at: recordedAt,
      event: eventOf.get(id) as EventList["data"][number]["event"],
    })),
    list_metadata: { before: page.previous, after: page.next },
    searched_to: page.searchedTo,
  };
}

/** Newest first. @throws AppError not_found */
export async function readCheckpoints(
  scope: Scope,
  { before, limit }: { before?: number; limit: number },
): Promise<CheckpointList> {
  const [vkey, notes] = await Promise.all([
    vkeyOf(scope),
    listCheckpoints(scope, { before, limit: limit + 1 }),
  ]);
  const page = notes.slice(0, limit);
  return {
    object: "list",
    vkey,
    data: page.map(({ size, note, createdAt }) => ({
      tree_size: size,
      note,
      created_at: createdAt,
    })),
    list_metadata: { before: notes.length > limit ? (page.at(-1)?.size ?? null) : null },
  };
}

/** @throws AppError not_found */
export async function readEvent(scope: Scope, id: string): Promise<EventDetailBody> {
  const found = await getEvent(scope, id);
  if (!found)
    throw new AppError("not_found", `Event not found: '${id}'.`, { details: { entity_id: id } });
  await recordView(scope, found);
  return {
    seq: found.seq,
    recorded_at: found.recordedAt,
    event: found.event as EventDetailBody["event"],
    chain_hash: found.chainHash,
    previous_hash: found.previousHash,
  };
}

export async function readStreams(scope: Scope): Promise<StreamList> {
  const streams = await listStreams(scope);
  return {
    object: "list",
    data: streams.map((stream) => ({
      id: stream.id,
      name: stream.name,
      type: contractTypeOf(stream.destination),
      state: CONTRACT_STATE[stream.state],
      delivered: stream.delivered,
      lag_events: stream.lagEvents,
      last_synced_at: stream.lastSuccessAt,
      created_at: stream.createdAt,
    })),
  };
}

export async function readVerificationStatus(scope: Scope): Promise<VerificationStatus> {
  const [{ nextSeq }, verifiedTo, [run]] = await Promise.all([
    readLogHead(scope),
    readVerifiedTo(scope),
    listVerifications(scope, 1),
  ]);
  return {
    object: "verification_status",
    organization_id: scope.organizationId,
    events: nextSeq,
    verified_to: verifiedTo,
    last_run: run
      ? { id: run.id, state: run.state, ok: run.verdict?.ok ?? null, finished_at: run.finishedAt }
      : null,
  };
}
