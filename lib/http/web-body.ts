import type { Readable } from "node:stream";

/**
 * A Node stream as a response body: pulled chunk by chunk, destroyed as soon as the client leaves, errored
 * (so that the client sees no clean end) when it fails. Readable.toWeb may enqueue after a cancel, which
 * throws where nobody can catch it.
 */
export function toWebBody(readable: Readable): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = readable[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        readable.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
