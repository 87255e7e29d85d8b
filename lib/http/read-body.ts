import { AppError } from "@/lib/errors";

/** Largest request body of the API. */
export const MAX_BODY_BYTES = 1_048_576;
/** What is taken of a larger one, so that its sender reads the answer instead of a broken pipe. */
const MOST_DROPPED_BYTES = 16_777_216;

/**
 * The body of a request of at most `maxBytes`.
 * @throws AppError too_large, or invalid_request for bytes that are not UTF-8.
 */
export async function readText(request: Request, maxBytes = MAX_BODY_BYTES): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else if (size > maxBytes + MOST_DROPPED_BYTES) break;
  }
  if (size > maxBytes)
    throw new AppError("too_large", `The request body is larger than ${maxBytes} bytes.`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new AppError("invalid_request", "The request body is not valid UTF-8.");
  }
}

/**
 * The JSON body of a request of at most `maxBytes`.
 * @throws AppError too_large, or invalid_request for bytes that are not UTF-8 or not JSON.
 */
export async function readJson(request: Request, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const text = await readText(request, maxBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AppError(
      "invalid_request",
      `The request body is not valid JSON: ${(error as Error).message}`,
    );
  }
}
