import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { getEnv } from "@/lib/env";
import type { HttpRequest } from "@/lib/streams/destination";
import { type AccessKeys, signAws } from "@/lib/streams/signed-request";

/**
 * Files of exports in a bucket that speaks S3 (TRAILSEAL_EXPORT_S3_URL), for hosts that share no directory. Large
 * ones go in parts (Amazon S3 API reference, "CreateMultipartUpload"): what was not completed is no object.
 */

interface Bucket {
  /** Where names begin, ending in a slash. */
  root: string;
  region: string;
  keys: AccessKeys;
}

const PART_BYTES = 16_777_216;
/** S3 takes 10,000. */
const MOST_PARTS = 9_000;
const TRIES = 4;
const PAUSE_MS = 500;
const MESSAGE_LENGTH = 300;

/** Null: files stay in the directory. */
function bucket(): Bucket | null {
  const env = getEnv();
  const { TRAILSEAL_EXPORT_S3_URL: url, TRAILSEAL_EXPORT_S3_KEY_ID: accessKeyId } = env;
  const secretAccessKey = env.TRAILSEAL_EXPORT_S3_SECRET;
  if (!url || !accessKeyId || !secretAccessKey) return null;
  return {
    root: url.replace(/\/*$/, "/"),
    region: env.TRAILSEAL_EXPORT_S3_REGION,
    keys: { accessKeyId, secretAccessKey },
  };
}

export const hasBucket = (): boolean => bucket() !== null;

interface Answer {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable & { text(): Promise<string> };
}

async function ask(
  method: "GET" | "PUT" | "POST" | "DELETE",
  name: string,
  { query = "", content }: { query?: string; content?: Buffer } = {},
): Promise<Answer> {
  const { root, region, keys } = bucket() as Bucket;
  const bare: HttpRequest = { method, url: `${root}${name}${query}`, headers: {} };
  const signed = signAws(content ? { ...bare, body: content } : bare, "s3", region, keys);
  return request(signed.url, {
    method,
    headers: signed.headers,
    ...(content ? { body: content } : {}),
  }) as Promise<Answer>;
}

/** Tries again what may pass. @throws Error with what the store said */
async function done(...parameters: Parameters<typeof ask>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await ask(...parameters);
      if (answer.statusCode < 300) return answer;
      const said = (await answer.body.text()).slice(0, MESSAGE_LENGTH);
      const error = new Error(`The bucket of exports answered ${answer.statusCode}: ${said}`);
      if (answer.statusCode < 500 && answer.statusCode !== 429)
        throw Object.assign(error, { isFinal: true });
      throw error;
    } catch (error) {
      if (tries === TRIES || (error as { isFinal?: boolean }).isFinal) throw error;
      await sleep(PAUSE_MS * 2 ** tries);
    }
  }
}

/** Puts a local file there, whole or not at all. */
export async function putFile(name: string, file: string): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file);
  try {
    const read = async (from: number, length: number) => {
      const content = Buffer.allocUnsafe(length);
      await handle.read(content, 0, length, from);
      return content;
    };
    if (size <= PART_BYTES) {
      await (await done("PUT", name, { content: await read(0, size) })).body.text();
      return;
    }
    await putParts(name, size, read);
  } finally {
    await handle.close();
  }
}

async function putParts(
  name: string,
  size: number,
  read: (from: number, length: number) => Promise<Buffer>,
): Promise<void> {
  const begun = await (await done("POST", name, { query: "?uploads=" })).body.text();
  const id = /<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1];
  if (!id) throw new Error("The bucket of exports began no upload in parts.");
  const upload = `uploadId=${encodeURIComponent(id)}`;
  try {
    const step = Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS));
    const parts: string[] = [];
    for (let from = 0; from < size; from += step) {
      const content = await read(from, Math.min(step, size - from));
      const query = `?partNumber=${parts.length + 1}&${upload}`;
      const { headers, body } = await done("PUT", name, { query, content });
      await body.text();
      parts.push(
        `<Part><PartNumber>${parts.length + 1}</PartNumber><ETag>${headers.etag}</ETag></Part>`,
      );
    }
    const content = Buffer.from(
      `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
    );
    const said = await (await done("POST", name, { query: `?${upload}`, content })).body.text();
    // A failure at the end comes with the status 200 (S3 API reference, "CompleteMultipartUpload").
    if (said.includes("<Error>"))
      throw new Error(`The bucket of exports said: ${said.slice(0, MESSAGE_LENGTH)}`);
  } catch (error) {
    // What is left would be paid for.
    await done("DELETE", name, { query: `?${upload}` }).catch(() => undefined);
    throw error;
  }
}

/** @returns null where there is no such object */
export async function openObject(name: string): Promise<Readable | null> {
  const { statusCode, body } = await ask("GET", name);
  if (statusCode === 200) return body;
  const said = (await body.text()).slice(0, MESSAGE_LENGTH);
  if (statusCode === 404) return null;
  throw new Error(`The bucket of exports answered ${statusCode}: ${said}`);
}

/** What is not there is no failure. */
export async function removeObject(name: string): Promise<void> {
  await (await done("DELETE", name)).body.text();
}
