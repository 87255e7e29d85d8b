import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import {
  type Batch,
  type Frame,
  fitting,
  type HttpRequest,
  type Outcome,
  type Reply,
  type StreamEvent,
  type Transport,
} from "./destination";
import { field } from "./form";
import { encodeItem, type FormatId, workosEvent } from "./formats";

/** What S3, Cloud Storage and Blob Storage have in common: a batch is one object, which is put once. */

/** Files of the WorkOS format per send, and how many are put at a time. */
const MAX_FILES = 64;
const AT_ONCE = 4;
const DAY_MS = 86_400_000;
const REMEMBERED_MS = 3_600_000;

export interface Store {
  /** Adds the credentials. */
  sign(request: HttpRequest): HttpRequest;
  /** Of every object. */
  headers: Record<string, string>;
  /** The demand that nothing has the name yet. */
  ifAbsent: Record<string, string>;
  /** Whether the answer to it is that something has. */
  isTaken(reply: Reply): boolean;
  /** What keeps the digest of an object's content beside it, for it to be recognised. */
  digestHeader: string;
  classify(reply: Reply): Outcome;
}

/** An answer that ends a send before an object is put: credentials were refused, a listing not allowed. */
export class Refusal extends Error {
  constructor(readonly outcome: Extract<Outcome, { kind: "retry" | "config_error" }>) {
    super(outcome.problem.message);
  }
}

/** The outcome of a send that a refusal may end. */
export async function refusable(send: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Refusal) return error.outcome;
    throw error;
  }
}

export const prefixField = () =>
  field(
    z
      .string()
      .trim()
      .max(200)
      .regex(/^[A-Za-z0-9._=/-]*$/, "A prefix has letters, digits and . _ = - / only.")
      .refine((path) => !/(^|\/)\.+(\/|$)/.test(path), "No part of a prefix has dots alone.")
      .transform((text) => text.split("/").filter(Boolean).join("/"))
      .optional(),
    { label: "Prefix", placeholder: "audit", hint: "Comes before the names of all objects." },
  );

export const slashed = (url: string) => url.replace(/\/*$/, "/");

/** @param bucket address of the bucket, ending in a slash */
export const rootOf = (bucket: string, prefix: string | undefined) =>
  prefix ? `${bucket}${prefix}/` : bucket;

/** `YYYY/MM/DD`, then the hour, of UTC. */
const dayOf = (iso: string) => iso.slice(0, 10).replaceAll("-", "/");
const hourOf = (iso: string) => `${dayOf(iso)}/${iso.slice(11, 13)}`;
const padded = (seq: number) => String(seq).padStart(12, "0");

/**
 * `org/YYYY/MM/DD/HH/<first>-<last>.ndjson.gz`, both inclusive, in the hour in which the first event was received:
 * names sort as sequence numbers do. What has no event of the log lies under `org/test/` and `org/checkpoints/`.
 */
function nameOf(events: StreamEvent[], deliveryId: string, extension: string): string {
  const [first] = events as [StreamEvent, ...StreamEvent[]];
  const seqs = events.flatMap(({ seq }) => (seq === null ? [] : [seq]));
  const area = seqs.length > 0 ? "" : first.kind === "test" ? "test/" : "checkpoints/";
  const name = seqs.length > 0 ? `${padded(seqs[0] ?? 0)}-${padded(seqs.at(-1) ?? 0)}` : deliveryId;
  return `${first.event.organization_id}/${area}${hourOf(first.recordedAt)}/${name}.${extension}`;
}

/** Under which the names of these days begin, the first and the last included. */
export function* prefixesOf(
  organizationId: string,
  area: "" | "checkpoints/",
  from: Date,
  to: Date,
): Generator<string> {
  const first = Math.floor(from.getTime() / DAY_MS);
  for (let day = first; day * DAY_MS <= to.getTime(); day += 1)
    yield `${organizationId}/${area}${dayOf(new Date(day * DAY_MS).toISOString())}/`;
}

function lineOf(format: Exclude<FormatId, "workos">, item: StreamEvent): string {
  const encoded = encodeItem(format, item);
  return typeof encoded === "string" ? encoded : JSON.stringify(encoded);
}

/** A batch as one object of lines, compressed. @param root where names begin, ending in a slash */
export function frameLines(batch: Batch, root: string): Frame {
  const { events, format, deliveryId } = batch;
  if (format === "workos") throw new Error("the WorkOS format has a file for each event");
  const lines = fitting(batch, (item) => lineOf(format, item));
  const extension = lines[0]?.startsWith("{") ? "ndjson.gz" : "log.gz";
  return {
    url: root + nameOf(events.slice(0, lines.length), deliveryId, extension),
    method: "PUT",
    headers: { "content-type": "application/gzip" },
    body: `${lines.join("\n")}\n`,
    gzip: true,
    count: lines.length,
  };
}

/** A batch in the WorkOS format: a file for each event, contract §15. */
export function frameFiles(batch: Batch, root: string, folderOf: (iso: string) => string): Frame {
  const encode = (item: StreamEvent) => JSON.stringify(workosEvent(item), null, 2);
  const files = fitting(batch, encode, { events: MAX_FILES });
  const parts = files.map((body, index) => {
    const item = batch.events[index] as StreamEvent;
    const { id, occurred_at: at } = workosEvent(item);
    return { url: `${root}${folderOf(at)}${encodeURIComponent(`${at}_${id}.json`)}`, body };
  });
  return {
    url: root,
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: files.join("\n"),
    parts,
    count: files.length,
  };
}

/** Puts the objects of a frame, in order; what is there already with the same content counts as put. */
export async function putAll(frame: Frame, store: Store, transport: Transport): Promise<Outcome> {
  const parts = frame.parts ?? [frame];
  for (let done = 0; done < parts.length; done += AT_ONCE) {
    const puts = parts
      .slice(done, done + AT_ONCE)
      .map((part) => put(frame, part, store, transport));
    const outcomes = await Promise.all(puts);
    const failed = outcomes.findIndex(({ kind }) => kind !== "delivered");
    const outcome = outcomes[failed];
    if (!outcome) continue;
    const accepted = done + failed;
    if (accepted === 0 || !("problem" in outcome)) return outcome;
    return { kind: "partial", accepted, problem: outcome.problem };
  }
  return { kind: "delivered" };
}

/**
 * Puts one object unless it is there. Another content under its name is left alone, and this one put beside it:
 * an event erased between two sends, or a log that began a new epoch, makes the same range another text.
 */
async function put(
  { gzip, headers: own }: Frame,
  { url, body }: { url: string; body: string },
  store: Store,
  transport: Transport,
): Promise<Outcome> {
  const bytes = gzip ? gzipSync(body) : Buffer.from(body);
  // Of the text: another version of zlib may compress it to other bytes.
  const digest = createHash("sha256").update(body).digest("hex");
  const headers = {
    ...own,
    ...store.headers,
    "content-md5": createHash("md5").update(bytes).digest("base64"),
    [store.digestHeader]: digest,
  };
  const ask = (request: HttpRequest) => transport.http(store.sign(request));
  const send = (to: string, condition: Record<string, string>) =>
    ask({ method: "PUT", url: to, headers: { ...headers, ...condition }, body: bytes });

  let condition = await transport.cached(CONDITION, known(store.ifAbsent));
  if (condition !== NONE) {
    const reply = await send(url, condition);
    if (reply.status !== 501 && !store.isTaken(reply)) return store.classify(reply);
    if (reply.status === 501) {
      transport.forget(CONDITION);
      condition = await transport.cached(CONDITION, known(NONE));
    }
  }
  const there = await ask({ method: "HEAD", url, headers: {} });
  const mayNotLook = there.status === 401 || there.status === 403;
  if (there.headers[store.digestHeader] === digest) return { kind: "delivered" };
  // Who may not look puts it beside: rather twice the same than nothing where another content lies.
  const isOther = there.status === 200 || (mayNotLook && condition !== NONE);
  if (!isOther && !mayNotLook && there.status !== 404) return store.classify(there);
  const reply = await send(isOther ? beside(url, digest) : url, condition);
  return isOther && store.isTaken(reply) ? { kind: "delivered" } : store.classify(reply);
}

/** What a store is asked to promise; nothing, while it is known to answer 501 to that. */
const CONDITION = "condition";
const NONE: Record<string, string> = {};
const known = (condition: Record<string, string>) => async () => ({
  value: condition,
  expiresAt: new Date(Date.now() + REMEMBERED_MS),
});

const beside = (url: string, digest: string) =>
  url.replace(/(\.[a-z]+(\.gz)?)$/, `.${digest.slice(0, 12)}$1`);
