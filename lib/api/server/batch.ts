import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { type MetadataLimits, type NewEvent, parseEventRequest } from "@/lib/events/schema";
import type { AppendOutcome } from "@/lib/events/server/append";
import { ingestEvent, ingestTogether } from "@/lib/events/server/ingest";
import { readChainHashes } from "@/lib/events/server/receipts";
import { findBreaches } from "@/lib/schemas/server/check-event";
import { type BatchOutcome, batchItem, MAX_BATCH_EVENTS } from "../schema";

interface Options {
  atomic: boolean;
  receipts: boolean;
  limits: { metadata: MetadataLimits; requireContext: boolean };
}

type Read =
  | { ok: true; event: NewEvent; idempotencyKey: string | null }
  | { ok: false; errors: { field: string; code: string }[] };

/** @throws AppError invalid_request for a body that is neither an array nor one object per line. */
export function splitBatch(text: string, contentType: string): unknown[] {
  const items = /ndjson|jsonl/i.test(contentType) ? linesOf(text) : parseJson(text, "The body");
  if (!Array.isArray(items))
    throw new AppError("invalid_request", "The body must be an array of events.");
  if (items.length > MAX_BATCH_EVENTS)
    throw new AppError("too_large", `A batch has at most ${MAX_BATCH_EVENTS} events.`);
  return items;
}

function linesOf(text: string): unknown[] {
  return text
    .split("\n")
    .map((line, position) => ({ line: line.trim(), name: `Line ${position + 1}` }))
    .filter(({ line }) => line !== "")
    .map(({ line, name }) => parseJson(line, name));
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid_request", `${name} is not valid JSON: ${(error as Error).message}`);
  }
}

async function readItem(scope: Scope, item: unknown, limits: Options["limits"]): Promise<Read> {
  const envelope = batchItem.safeParse(item);
  if (!envelope.success) {
    const errors = envelope.error.issues.map(({ path, message }) => ({
      field: path.join(".") || "item",
      code: message,
    }));
    return { ok: false, errors };
  }
  const { event, idempotency_key: key } = envelope.data;
  const parsed = parseEventRequest({ organization_id: scope.organizationId, event }, limits);
  if (!parsed.ok) return parsed;
  const breaches = await findBreaches(parsed.value.event);
  if (breaches.length > 0) {
    const errors = breaches.map(({ instancePath, message = "" }) => ({
      field: `event${instancePath.replaceAll("/", ".")}`,
      code: message,
    }));
    return { ok: false, errors };
  }
  return { ok: true, event: parsed.value.event, idempotencyKey: key || null };
}

const asEventError = (code: string) => ({ field: "event", code });

/** Stores a batch; outcomes are in the order of its items. */
export async function storeBatch(
  scope: Scope,
  items: unknown[],
  { atomic, receipts, limits }: Options,
): Promise<BatchOutcome[]> {
  const read = await Promise.all(items.map((item) => readItem(scope, item, limits)));
  const outcomes = atomic ? await storeAll(scope, read) : await storeEach(scope, read);
  if (!receipts) return outcomes;
  const seqs = outcomes.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
  const sealed = await readChainHashes(scope, seqs);
  return outcomes.map((outcome) =>
    outcome.seq === undefined ? outcome : { ...outcome, ...sealed.get(outcome.seq) },
  );
}

const described = ({ seq, duplicate }: AppendOutcome): BatchOutcome => ({
  status: duplicate ? "duplicate" : "stored",
  seq,
});

async function storeAll(scope: Scope, read: Read[]): Promise<BatchOutcome[]> {
  const errors = read.flatMap((item, position) =>
    item.ok ? [] : item.errors.map(({ field, code }) => ({ field: `${position}.${field}`, code })),
  );
  if (errors.length > 0) throw new AppError("validation_failed", "Nothing was stored.", { errors });
  return (
    await ingestTogether(
      scope,
      read.filter((item) => item.ok),
    )
  ).map(described);
}

function storeEach(scope: Scope, read: Read[]): Promise<BatchOutcome[]> {
  return Promise.all(
    read.map(async (item): Promise<BatchOutcome> => {
      if (!item.ok) return { status: "invalid", errors: item.errors };
      try {
        return described(await ingestEvent(scope, item.event, item.idempotencyKey));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { status: "failed", errors: [asEventError(error.message)] };
      }
    }),
  );
}
