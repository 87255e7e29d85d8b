import { gunzipSync } from "node:zlib";
import type { HttpRequest, ReadTransport, StoredObject } from "./destination";
import { Refusal, rootOf, type Store } from "./object-store";
import { problem } from "./problems";
import { codeOf, xmlText } from "./store-answers";

/** Reading back what a stream put into a store. */

const MAX_LISTING_BYTES = 4_000_000;
/** Ours are below a megabyte before they are compressed. */
const MAX_OBJECT_BYTES = 16_000_000;
const MAX_TEXT_BYTES = 64_000_000;

const NOT_PERMITTED = ["AccessDenied", "AuthorizationPermissionMismatch"];

/** How a store lists names, in pages. */
export interface Listing {
  query(prefix: string, after: string): Record<string, string>;
  /** The element that holds a name. */
  tag: string;
  /** What the next page comes after; nothing at the end. */
  next(xml: string, last: string): string | undefined;
}

/** ListObjectsV2 of S3; Cloud Storage knows it, too. */
export const S3_LISTING: Listing = {
  query: (prefix, after) => ({
    ...{ "list-type": "2", prefix },
    ...(after ? { "start-after": after } : {}),
  }),
  tag: "Key",
  next: (xml, last) => (xmlText(xml, "IsTruncated") === "true" ? last : undefined),
};

/** List Blobs of Blob Storage. */
export const BLOB_LISTING: Listing = {
  query: (prefix, after) => ({
    ...{ restype: "container", comp: "list", prefix },
    ...(after ? { marker: after } : {}),
  }),
  tag: "Name",
  next: (xml) => xmlText(xml, "NextMarker"),
};

interface Place {
  open(): Promise<Store>;
  /** Address of the bucket, ending in a slash. */
  bucket: string;
  prefix: string | undefined;
  listing: Listing;
  /** What reading takes: "add …". */
  permissions: string;
}

/** The objects under each prefix, in the order of their names. @throws Refusal, or as Transport.http */
export async function* readObjects(
  prefixes: Iterable<string>,
  transport: ReadTransport,
  place: Place,
): AsyncGenerator<StoredObject> {
  for (const prefix of prefixes) {
    for await (const key of names(rootOf("", place.prefix) + prefix, transport, place)) {
      const reply = await read(`${place.bucket}${key}`, MAX_OBJECT_BYTES, transport, place);
      if (reply) yield { key, text: textOf(reply.bytes) };
    }
  }
}

async function* names(
  prefix: string,
  transport: ReadTransport,
  place: Place,
): AsyncGenerator<string> {
  const { listing, bucket } = place;
  const pattern = new RegExp(`<${listing.tag}>([^<]*)</${listing.tag}>`, "g");
  for (let after: string | undefined = ""; after !== undefined; ) {
    const query = new URLSearchParams(listing.query(prefix, after));
    const reply = await read(
      `${bucket.slice(0, -1)}?${query}`,
      MAX_LISTING_BYTES,
      transport,
      place,
    );
    const keys = [...(reply?.body ?? "").matchAll(pattern)].map(([, key]) => key as string);
    yield* keys;
    after = listing.next(reply?.body ?? "", keys.at(-1) ?? "") || undefined;
  }
}

/** @returns null for an object that is gone meanwhile */
async function read(url: string, maxBytes: number, transport: ReadTransport, place: Place) {
  const store = await place.open();
  const request: HttpRequest = { method: "GET", url, headers: {} };
  const reply = await transport.download(store.sign(request), maxBytes);
  if (reply.status === 200) return reply;
  if (reply.status === 404 && !url.includes("?")) return null;
  if (NOT_PERMITTED.includes(codeOf(reply) ?? ""))
    throw new Refusal({
      kind: "config_error",
      problem: problem(
        "write_only",
        "The credentials may only write: nothing can be read back.",
        `To have what lies there compared with the log, add ${place.permissions}.`,
      ),
    });
  const outcome = store.classify(reply);
  if (outcome.kind === "retry" || outcome.kind === "config_error") throw new Refusal(outcome);
  throw new Error(`the store answered ${reply.status} to a read`);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_TEXT_BYTES }).toString("utf8");
  } catch {
    return null;
  }
}
