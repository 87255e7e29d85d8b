import type { Scope } from "@/lib/auth/scope";
import { canonicalize } from "@/lib/chain/canonical";
import { sha256 } from "@/lib/chain/sha256";
import { isConnectionFailure } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { NewEvent } from "../schema";
import {
  type AppendItem,
  type AppendOutcome,
  appendBatch,
  appendPrepared,
  type Prepared,
  prepare,
  prepareBatch,
} from "./append";
import { type ControlEvent, controlItem } from "./control-event";

/** Most events in one commit. */
const MAX_BATCH = 500;
/** Bounds of what waits in this process, over all organizations. */
const MAX_QUEUED = 10_000;
const MAX_QUEUED_BYTES = 64_000_000;
/** An event that waited longer is answered 503; its client sends it again with the same key. */
const MAX_WAIT_MS = 10_000;
const SWEEP_MS = 500;
const RETRY_AFTER_S = 2;

interface Waiting {
  item: Prepared;
  bytes: number;
  since: number;
  resolve(outcome: AppendOutcome): void;
  reject(error: unknown): void;
}

interface Queue {
  waiting: Waiting[];
  committing: boolean;
}

const queues = new Map<string, Queue>();
let queued = 0;
let queuedBytes = 0;

function unavailable(cause?: unknown): AppError {
  return new AppError(
    "unavailable",
    "The log cannot take events right now. Send the same request again.",
    {
      retryAfterS: RETRY_AFTER_S,
      cause,
    },
  );
}

function eventContent(event: NewEvent): object {
  const { action, version, receivedOccurredAt, actor, targets, context, metadata } = event;
  return { action, version, occurred_at: receivedOccurredAt, actor, targets, context, metadata };
}

/** Same key and another event are two requests; no key: the event itself is the key (contract §4). */
function requestKey(organizationId: string, key: string | null, event: NewEvent): Buffer {
  return sha256(canonicalize([organizationId, key, eventContent(event)]));
}

/** What tells an imported record from others. Rows of two mapped sources never meet, whatever they hold. */
export function importKey(format: string, sourceId: string | null, event: NewEvent): Buffer {
  return sha256(
    canonicalize(
      sourceId === null
        ? ["import", ...(format.startsWith("csv:") ? [format] : []), "content", eventContent(event)]
        : ["import", format, sourceId],
    ),
  );
}

const keyOf = ({ principal }: Scope) => (principal.kind === "api_key" ? principal.id : null);

function requestItem(scope: Scope, event: NewEvent, idempotencyKey: string | null): AppendItem {
  const { organizationId } = scope;
  return {
    event,
    key: requestKey(organizationId, idempotencyKey, event),
    keylessKey: idempotencyKey === null ? null : requestKey(organizationId, null, event),
    source: "api",
    apiKeyId: keyOf(scope),
  };
}

/**
 * Stores a client's events in one transaction: all of them, or none.
 * @throws AppError unavailable; nothing was acknowledged.
 */
export async function ingestTogether(
  scope: Scope,
  items: { event: NewEvent; idempotencyKey: string | null }[],
): Promise<AppendOutcome[]> {
  try {
    return await appendBatch(
      scope.organizationId,
      items.map(({ event, idempotencyKey }) => requestItem(scope, event, idempotencyKey)),
    );
  } catch (error) {
    throw isUnavailable(error) ? unavailable(error) : error;
  }
}

/**
 * Stores one event of a client. Requests that arrive while a commit is under way share the next one.
 * @returns once the event is durable.
 * @throws AppError unavailable when the backlog is full or the database does not answer: nothing was
 * acknowledged, and the same request sent again stores the event at most once.
 */
export async function ingestEvent(
  scope: Scope,
  event: NewEvent,
  idempotencyKey: string | null,
): Promise<AppendOutcome> {
  return sealSoon(scope, event, () =>
    prepare(scope.organizationId, requestItem(scope, event, idempotencyKey)),
  );
}

/** Seals an event of the log itself that is its own cause. @returns and throws as ingestEvent */
export function sealControlEvent(scope: Scope, event: ControlEvent): Promise<AppendOutcome> {
  return sealSoon(scope, event, () => controlItem(scope, event));
}

/** @param make what the queue has room for: it is sealed as far as it goes while an earlier commit is under way */
async function sealSoon(
  { organizationId }: Scope,
  event: object,
  make: () => Prepared,
): Promise<AppendOutcome> {
  const bytes = JSON.stringify(event).length;
  if (queued >= MAX_QUEUED || queuedBytes + bytes > MAX_QUEUED_BYTES) throw unavailable();
  const item = make();
  const queue = queues.get(organizationId) ?? { waiting: [], committing: false };
  queues.set(organizationId, queue);
  return new Promise((resolve, reject) => {
    queue.waiting.push({ item, bytes, since: Date.now(), resolve, reject });
    queued += 1;
    queuedBytes += bytes;
    if (!queue.committing) void drain(organizationId, queue);
  });
}

/** One commit at a time per organization; what queued meanwhile is the next batch. */
async function drain(organizationId: string, queue: Queue): Promise<void> {
  queue.committing = true;
  // A commit that hangs must not keep those behind it waiting for their turn to be refused.
  const sweep = setInterval(() => refuseLate(queue), SWEEP_MS);
  // Requests of the same turn of the event loop share the first commit too.
  await new Promise((resolve) => setImmediate(resolve));
  while (queue.waiting.length > 0) await commit(organizationId, take(queue, MAX_BATCH));
  clearInterval(sweep);
  queue.committing = false;
  queues.delete(organizationId);
}

function take(queue: Queue, count: number): Waiting[] {
  const taken = queue.waiting.splice(0, count);
  queued -= taken.length;
  for (const { bytes } of taken) queuedBytes -= bytes;
  return taken;
}

function refuseLate(queue: Queue): void {
  const deadline = Date.now() - MAX_WAIT_MS;
  // First come, first in line: those that waited too long stand in front.
  const onTime = queue.waiting.findIndex(({ since }) => since >= deadline);
  for (const late of take(queue, onTime === -1 ? queue.waiting.length : onTime))
    late.reject(unavailable());
}

async function commit(organizationId: string, batch: Waiting[]): Promise<void> {
  try {
    const outcomes = await appendPrepared(
      organizationId,
      batch.map(({ item }) => item),
    );
    batch.forEach((waiting, position) => {
      waiting.resolve(outcomes[position] as AppendOutcome);
    });
  } catch (error) {
    if (batch.length > 1 && isDataError(error)) {
      // One event the database refuses must not take the others with it.
      for (const waiting of batch) await commit(organizationId, [waiting]);
      return;
    }
    const reason = isUnavailable(error) ? unavailable(error) : error;
    for (const waiting of batch) waiting.reject(reason);
  }
}

const sqlState = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? "");

/** SQLSTATE class 22: a value that PostgreSQL cannot take. */
function isDataError(error: unknown): boolean {
  return /^(22|54)/.test(sqlState(error));
}

/** The database is gone, slow (57014), overloaded or out of room (class 53), read-only (25006). */
function isUnavailable(error: unknown): boolean {
  return isConnectionFailure(error) || /^(53|57014|25006|40|58)/.test(sqlState(error));
}

export interface ImportItem {
  event: NewEvent;
  format: string;
  /** The source's own id of the record; null: the content identifies it. */
  sourceId: string | null;
}

/**
 * Stores imported events in batches: while one commits, the next is read and prepared. Those stored
 * before, at any time, come out as duplicates.
 */
export class Importer {
  private committing: Promise<void> = Promise.resolve();

  constructor(
    private readonly scope: Scope,
    private readonly onStored: (outcomes: AppendOutcome[]) => void,
  ) {}

  /** Resolves when the batch before this one is stored. @throws what that one failed with. */
  async add(items: ImportItem[]): Promise<void> {
    const { organizationId } = this.scope;
    const prepared = await prepareBatch(
      organizationId,
      items.map(({ event, format, sourceId }) => ({
        event,
        key: importKey(format, sourceId, event),
        keylessKey: null,
        source: "import",
        apiKeyId: keyOf(this.scope),
      })),
    );
    await this.committing;
    this.committing = appendPrepared(organizationId, prepared).then(this.onStored);
    // Whoever adds or finishes next hears of a failure.
    this.committing.catch(() => undefined);
  }

  /** Resolves when everything is stored. */
  async finish(): Promise<void> {
    await this.committing;
  }
}

/** Stores one batch of imported events. */
export async function importEvents(scope: Scope, items: ImportItem[]): Promise<AppendOutcome[]> {
  let stored: AppendOutcome[] = [];
  const importer = new Importer(scope, (outcomes) => {
    stored = outcomes;
  });
  await importer.add(items);
  await importer.finish();
  return stored;
}
