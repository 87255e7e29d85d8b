import { claimedCheckpoint } from "@/lib/chain/checkpoint";
import { getEnv } from "@/lib/env";
import type { HttpRequest } from "@/lib/streams/destination";
import { exchange, type HttpReply } from "@/lib/streams/server/egress";
import { classifyFailure } from "@/lib/streams/server/failures";
import { type SignedLog, storedNotes, type Witness, WitnessConflict } from "./witness";

/**
 * A server that keeps objects (WebDAV, an object store's HTTP interface, a small server of one's own):
 *
 *     PUT <url>/<origin>/<size>       the signed note, text/plain, with If-None-Match: *; once for each checkpoint
 *     PUT <url>/<origin>/checkpoint   the newest one, replaced (the name it has in C2SP tlog-tiles)
 *     GET                             of both, for comparison; 404: not there
 *
 * The newest one is the cursor: it is replaced only when it is stored here just so. Then whoever turns database,
 * memory and this host back is contradicted by it.
 */

const DEADLINE_MS = 5_000;
const NOTES_AT_ONCE = 100;
/** Of the newest checkpoints, what a whole verification asks for. */
const READ_BACK = 32;
/** The continuous check does not wait again for one that just failed. */
const QUIET_MS = 30_000;
const NEWEST = "checkpoint";
/** There already (RFC 9110 §13.1.2); stores answer 409 as well. */
const IS_THERE = [409, 412];

let quiet: { untilMs: number; error: Error } | null = null;

/** Null where none is set up. */
export function httpWitness(): Witness | null {
  const base = getEnv().TRAILSEAL_WITNESS_URL;
  return base ? { kind: "http", publish: (log) => publish(base, log), read: readOf(base) } : null;
}

async function publish(base: string, log: SignedLog): Promise<number> {
  const { origin } = log;
  const newest = await get(base, origin, NEWEST);
  const size = newest === null ? 0 : sizeOf(newest, origin);
  if (newest !== null) {
    const [own] = await storedNotes(log, { from: size - 1, to: size, limit: 1 });
    if (own?.note !== newest)
      throw new WitnessConflict(
        `It has a checkpoint of ${size} events, and ${own ? "another one of that size" : "none of that size"} is stored here.`,
      );
  }
  const fresh = await storedNotes(log, { from: size, limit: NOTES_AT_ONCE });
  for (const stored of fresh) await putOnce(base, origin, stored.size, stored.note);
  const last = fresh.at(-1);
  if (!last) return size;
  const { status } = await send("PUT", base, [origin, NEWEST], last.note);
  if (!isSuccess(status)) throw new Error(`It answered ${status} to a PUT of ${NEWEST}.`);
  return last.size;
}

async function putOnce(base: string, origin: string, size: number, note: string): Promise<void> {
  const put = () => send("PUT", base, [origin, String(size)], note, { "if-none-match": "*" });
  let { status } = await put();
  if (isSuccess(status)) return;
  let there = IS_THERE.includes(status) ? await get(base, origin, String(size)) : null;
  if (status === 409 && there === null) {
    // WebDAV wants the folders to be there (RFC 4918 §9.7.1).
    for (const [at] of origin.split("/").entries())
      await send("MKCOL", base, [...origin.split("/").slice(0, at + 1), ""]);
    ({ status } = await put());
    if (isSuccess(status)) return;
    there = await get(base, origin, String(size));
  }
  if (there === null) throw new Error(`It answered ${status} to a PUT.`);
  if (there !== note)
    throw new WitnessConflict(
      `It has another checkpoint of ${size} events than the one that is stored here.`,
    );
}

const readOf =
  (base: string): Witness["read"] =>
  async (organizationId, origins, isNewestOnly) => {
    if (isNewestOnly && quiet && Date.now() < quiet.untilMs) throw quiet.error;
    const kept: { notes: string[]; gaps: string[] } = { notes: [], gaps: [] };
    let to = 0;
    for (const [at, origin] of origins.entries()) {
      const newest = await get(base, origin, NEWEST);
      if (newest === null) continue;
      kept.notes.push(newest);
      if (at === 0) to = sizeOf(newest, origin);
    }
    const [origin] = origins;
    if (isNewestOnly || origin === undefined) return kept;
    if (to === 0) kept.gaps.push("The HTTP witness has no checkpoint of this log yet.");
    // What is newer than its newest may still be on its way.
    const stored = await storedNotes(
      { organizationId, origin },
      { to, limit: READ_BACK, isNewestFirst: true },
    );
    let missing = 0;
    for (const { size } of stored) {
      const note = await get(base, origin, String(size));
      if (note === null) missing += 1;
      else kept.notes.push(note);
    }
    if (missing > 0)
      kept.gaps.push(
        `The HTTP witness does not have ${missing} of the ${stored.length} newest checkpoints.`,
      );
    return kept;
  };

/** Null where nothing is there. @throws Error in words, also for what is no note of this log */
async function get(base: string, origin: string, name: string): Promise<string | null> {
  const { status, body } = await send("GET", base, [origin, name]);
  if (status === 404) return null;
  if (status !== 200) throw new Error(`It answered ${status} to a GET.`);
  sizeOf(body, origin);
  return body;
}

function sizeOf(note: string, origin: string): number {
  try {
    const checkpoint = claimedCheckpoint(note);
    if (checkpoint.origin === origin) return checkpoint.size;
  } catch {
    // Told below.
  }
  throw new Error("What it has is not a checkpoint of this log.");
}

const isSuccess = (status: number) => [200, 201, 204].includes(status);

async function send(
  method: HttpRequest["method"],
  base: string,
  path: string[],
  body: string | null = null,
  headers: Record<string, string> = {},
): Promise<HttpReply> {
  const url = new URL(base);
  url.pathname = [url.pathname.replace(/\/$/, ""), ...path].join("/");
  const { TRAILSEAL_WITNESS_TOKEN: token } = getEnv();
  try {
    const request = {
      method,
      url: url.href,
      headers: {
        ...(body === null ? {} : { "content-type": "text/plain; charset=utf-8" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === null ? {} : { body }),
    };
    const reply = await exchange(request, { deadlineMs: DEADLINE_MS });
    quiet = null;
    return reply;
  } catch (cause) {
    const outcome = classifyFailure(cause);
    if (outcome.kind === "delivered" || outcome.kind === "rejected") throw cause;
    const { message, advice } = outcome.problem;
    const words = outcome.kind === "config_error" ? `${message} ${advice}` : message;
    const error = new Error(words, { cause });
    quiet = { untilMs: Date.now() + QUIET_MS, error };
    throw error;
  }
}
