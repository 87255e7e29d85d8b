import { gzipSync } from "node:zlib";
import type { z } from "zod";
import type { Frame, HttpRequest, Reply } from "./destination";

/** The frame as bytes, compressed where it asks for it. */
export function requestOf(frame: Frame): HttpRequest {
  const { url, method, headers, gzip, tls } = frame;
  const body = frame.bytes ?? frame.body;
  const base = { url, method, ...(tls ? { tls } : {}) };
  if (!gzip) return { ...base, headers, body };
  return { ...base, headers: { ...headers, "content-encoding": "gzip" }, body: gzipSync(body) };
}

/** The answer's JSON as the schema has it; null for anything else. */
export function answerOf<T>({ body }: Reply, schema: z.ZodType<T>): T | null {
  try {
    return schema.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}
