import { EventEmitter } from "node:events";
import fc from "fast-check";
import type pg from "pg";
import { expect, test } from "vitest";
import { copyOut } from "./copy-out";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
console.info(`copy out properties: TEST_SEED=${seed}`);

function message(code: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(code, "latin1");
  head.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

/** What is taken, and what the driver gets, of what a server sends in these pieces. */
function read(sent: Buffer, cuts: number[]): { taken: Buffer; left: Buffer } {
  const left: Buffer[] = [];
  const stream = new EventEmitter();
  stream.on("data", (chunk: Buffer) => left.push(chunk));
  const client = {
    query: (query: pg.Submittable) =>
      query.submit({ stream, query: () => undefined } as unknown as pg.Connection),
  };
  const taken: Buffer[] = [];
  const take = (data: Buffer, from: number, to: number) => taken.push(data.subarray(from, to));
  void copyOut(client as unknown as pg.ClientBase, "COPY", take, 2 ** 30);
  const places = [0, ...cuts.map((cut) => cut % sent.length).sort((a, b) => a - b), sent.length];
  for (let at = 1; at < places.length; at += 1)
    stream.emit("data", sent.subarray(places[at - 1], places[at]));
  return { taken: Buffer.concat(taken), left: Buffer.concat(left) };
}

test("data is taken wherever it is cut, and the driver reads all that comes after it", () => {
  const content = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("d", "d", "d", "N", "S"), content), { maxLength: 8 }),
      fc.constantFrom("c", "E"),
      fc.array(fc.nat(), { maxLength: 12 }),
      (messages, last, cuts) => {
        const end = Buffer.concat([
          message(last, Buffer.from("x")),
          message("Z", Buffer.from("I")),
        ]);
        const sent = [
          message("H", Buffer.alloc(3)),
          ...messages.map(([code, bytes]) => message(code, bytes)),
          end,
        ];
        const { taken, left } = read(Buffer.concat(sent), cuts);
        const data = messages.filter(([code]) => code === "d").map(([, bytes]) => bytes);
        expect(taken).toEqual(Buffer.concat(data));
        expect(left).toEqual(end);
      },
    ),
    { seed, numRuns: 500 },
  );
});
