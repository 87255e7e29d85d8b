import { randomInt } from "node:crypto";
import type { Scope } from "@/lib/auth/scope";
import { sha256Hex } from "@/lib/chain/sha256";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { currentRequest } from "@/lib/http/request-context";
import { log } from "@/lib/log";
import { serializeFilter } from "../filter/serialize";
import { type EventSearch, toSearchParams } from "../filter/url";
import { type ReadAction, type ReadSampling, readSamplingSchema } from "../reads";
import type { EventDetail } from "../schema";
import type { Subject } from "../subject";
import { appendControlEvent, type ControlEvent } from "./control-event";
import { sealControlEvent } from "./ingest";

/**
 * What people and keys read is an event of the log that they read, sealed before they see it. Once for an act: the same
 * by the same person from the same address counts anew after ten minutes, in each process of the server.
 */

const SAME_ACT_MS = 600_000;
/** A live tail comes back every ten minutes. */
const FOLLOWS_WITHIN_MS = 1_800_000;
const LONGEST_ACT_MS = 86_400_000;
const MAX_KNOWN = 50_000;
const RETRY_AFTER_S = 2;

interface Act {
  sinceMs: number;
  usedMs: number;
  /** Until it is in the log, or was left out by lot. */
  taken: Promise<boolean>;
}

// Pages, actions and handlers may be separate copies of this module in one process.
const registry = globalThis as unknown as { trailsealReads?: Map<string, Act> };
registry.trailsealReads ??= new Map();
const known = registry.trailsealReads;

export async function readSampling({ organizationId }: Scope): Promise<ReadSampling> {
  const { rows } = await readPool().query<{ sampling: unknown }>(
    "SELECT read_sampling AS sampling FROM organizations WHERE id = $1",
    [organizationId],
  );
  return readSamplingSchema.parse(rows[0]?.sampling);
}

/** Changes how many reads are recorded, and says so in the log. The same again is no change. */
export async function setReadSampling(scope: Scope, sampling: ReadSampling): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<{ before: number }>(
      "SELECT read_sampling AS before FROM organizations WHERE id = $1 FOR NO KEY UPDATE",
      [scope.organizationId],
    );
    const before = rows[0]?.before;
    if (before === undefined || before === sampling) return;
    await client.query("UPDATE organizations SET read_sampling = $2 WHERE id = $1", [
      scope.organizationId,
      sampling,
    ]);
    await appendControlEvent(client, scope, {
      action: "trailseal.read_recording_changed",
      metadata: { recorded: samplingWords(sampling), recorded_before: samplingWords(before) },
    });
  });
}

const samplingWords = (sampling: number) =>
  sampling === 0 ? "none" : sampling === 1 ? "all" : `1 in ${sampling}`;

interface Read extends Pick<ControlEvent, "targets" | "metadata"> {
  action: ReadAction;
  /** What makes two reads the same act. */
  what: string;
  /** It goes on with an act, within half an hour of its last sign and a day of its beginning; else it is one of its own. */
  isFollowUp?: boolean;
}

/** @throws AppError unavailable: what cannot be recorded is not shown */
async function record(scope: Scope, { what, isFollowUp, ...event }: Read): Promise<void> {
  const { principal, organizationId } = scope;
  const who = "id" in principal ? principal.id : principal.kind;
  const address = currentRequest()?.clientAddress;
  const act = sha256Hex(JSON.stringify([organizationId, who, address, event.action, what]));
  const nowMs = performance.now();
  const before = known.get(act);
  const isOn = before && nowMs - before.sinceMs < (isFollowUp ? LONGEST_ACT_MS : SAME_ACT_MS);
  if (isOn && nowMs - before.usedMs < FOLLOWS_WITHIN_MS) {
    before.usedMs = nowMs;
    await before.taken;
    return;
  }
  if (known.size >= MAX_KNOWN) known.clear();
  const taken = seal(scope, event);
  known.set(act, { sinceMs: nowMs, usedMs: nowMs, taken });
  const forget = () => known.delete(act);
  taken.then((isCounted) => isCounted || forget(), forget);
  await taken;
}

/** @returns false where no reads are recorded: the same counts from the moment that they are */
async function seal(scope: Scope, event: ControlEvent): Promise<boolean> {
  const sampling = await readSampling(scope);
  if (sampling === 0) return false;
  const metadata = { ...event.metadata };
  if (sampling !== 1) metadata.sampled = samplingWords(sampling);
  if (randomInt(sampling) === 0) await sealOrRefuse(scope, { ...event, metadata });
  return true;
}

async function sealOrRefuse(scope: Scope, event: ControlEvent): Promise<void> {
  try {
    await sealControlEvent(scope, event);
  } catch (error) {
    // The organization went meanwhile.
    if (error instanceof AppError && error.code !== "unavailable") throw error;
    log().warn({ err: error, organization_id: scope.organizationId }, "a read was not recorded");
    throw new AppError(
      "unavailable",
      "What is read here is recorded in the log, which cannot be written right now. So nothing is shown. Try again in a moment.",
      { retryAfterS: RETRY_AFTER_S, cause: error },
    );
  }
}

/** What leaves as a file or to the clipboard is recorded each time, whatever the sampling. @throws as recordSearch */
export const recordDownload = (
  scope: Scope,
  event: ControlEvent & { action: `trailseal.${string}_downloaded` | "trailseal.events_copied" },
): Promise<void> => sealOrRefuse(scope, event);

/** The search as its address has it, without what is open or where one stands. */
export function searchWords(search: Pick<EventSearch, "filter" | "time">): Record<string, string> {
  const [q, nothing] = [serializeFilter(search.filter), { event: null, after: null, before: null }];
  return Object.fromEntries(toSearchParams({ q, time: search.time, ...nothing }));
}

/** Somebody looked for events. @param options.isFollowUp a further page, facet or the like of a search */
export function recordSearch(
  scope: Scope,
  search: Pick<EventSearch, "filter" | "time">,
  options: { isFollowUp?: boolean } = {},
): Promise<void> {
  const metadata = searchWords(search);
  return record(scope, {
    action: "trailseal.events_searched",
    what: JSON.stringify(metadata),
    metadata,
    ...options,
  });
}

/** Somebody saw all that is known of one event; null: there is none to see. */
export async function recordView(
  scope: Scope,
  event: Pick<EventDetail, "id" | "action" | "seq"> | null,
): Promise<void> {
  if (!event) return;
  await record(scope, {
    action: "trailseal.event_viewed",
    what: event.id,
    targets: [{ type: "audit_event", id: event.id, name: event.action }],
    metadata: { seq: String(event.seq) },
  });
}

/** Somebody looked at what an actor did or what was done to a target, whatever the filter. */
export function recordTimeline(
  scope: Scope,
  subject: Subject,
  search: Pick<EventSearch, "filter" | "time"> | null,
  options: { isFollowUp?: boolean } = {},
): Promise<void> {
  const { role, type, id } = subject;
  return record(scope, {
    action: "trailseal.timeline_viewed",
    what: JSON.stringify([role, type, id]),
    targets: [{ type, id }],
    metadata: { role, ...(search ? searchWords(search) : {}) },
    ...options,
  });
}
