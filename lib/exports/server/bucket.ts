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

/** What a store answered, without what it tells of keys and names. */
export class BucketError extends Error {
  private constructor(
    message: string,
    /** Asking again changes nothing. */
    readonly isFinal: boolean,
  ) {
    super(message);
  }

  static async of({ statusCode, body }: Answer): Promise<BucketError> {
    const code = codeOf(await body.text());
    const isFinal = statusCode >= 300 && statusCode < 500 && statusCode !== 429;
    return new BucketError(`The bucket of exports answered ${statusCode} ${code}`.trim(), isFinal);
  }

  static inside(text: string): BucketError {
    return new BucketError(`The bucket of exports failed: ${codeOf(text)}`, false);
  }
}

const codeOf = (text: string) => /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? "";

/** Tries again what may pass. @throws BucketError */
async function done(...parameters: Parameters<typeof ask>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await ask(...parameters);
      if (answer.statusCode < 300) return answer;
      throw await BucketError.of(answer);
    } catch (error) {
      if (tries === TRIES || (error instanceof BucketError && error.isFinal)) throw error;
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
      const content = Buffer.alloc(length);
      const { bytesRead } = await handle.read(content, 0, length, from);
      if (bytesRead !== length) throw new Error(`${file} became shorter while it was sent.`);
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
    if (said.includes("<Error>")) throw BucketError.inside(said);
  } catch (error) {
    // What is left would be paid for.
    await done("DELETE", name, { query: `?${upload}` }).catch(() => undefined);
    throw error;
  }
}

/** @returns null where there is no such object */
export async function openObject(name: string): Promise<Readable | null> {
  const answer = await ask("GET", name);
  if (answer.statusCode === 200) return answer.body;
  const error = await BucketError.of(answer);
  if (answer.statusCode === 404) return null;
  throw error;
}

/** What is not there is no failure. */
export async function removeObject(name: string): Promise<void> {
  await (await done("DELETE", name)).body.text();
}
