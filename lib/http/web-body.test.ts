import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { toWebBody } from "./web-body";

const text = (body: ReadableStream<Uint8Array>) => new Response(body).text();

describe("a response body from a Node stream", () => {
  test("holds everything", async () => {
    expect(await text(toWebBody(Readable.from([Buffer.from("a"), Buffer.from("b")])))).toBe("ab");
  });

  test("fails when the stream fails, without a clean end", async () => {
    const source = Readable.from(
      (function* () {
        yield Buffer.from("a");
        throw new Error("broken");
      })(),
    );
    await expect(text(toWebBody(source))).rejects.toThrow("broken");
  });

  test("a reader that leaves destroys the stream at once, although no chunk is coming", async () => {
    const source = new Readable({ read() {} });
    const reader = toWebBody(source).getReader();
    const pending = reader.read();
    await reader.cancel();
    expect(source.destroyed).toBe(true);
    await expect(pending).resolves.toMatchObject({ done: true });
  });

  test("a reader that waits holds the stream back", async () => {
    let reads = 0;
    const source = new Readable({
      highWaterMark: 1,
      read() {
        reads += 1;
        this.push(Buffer.from("x"));
      },
    });
    const reader = toWebBody(source).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 20));
    // The stream's own buffer of one chunk.
    expect(reads).toBeLessThanOrEqual(2);
    await reader.cancel();
  });
});
