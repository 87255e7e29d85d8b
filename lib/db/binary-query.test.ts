import { EventEmitter } from "node:events";
import fc from "fast-check";
import type pg from "pg";
import { expect, test } from "vitest";
import { binaryQuery } from "./binary-query";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
console.info(`binary query properties: TEST_SEED=${seed}`);

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
  const nothing = () => undefined;
  const connection = {
    stream: Object.assign(stream, { cork: nothing, uncork: nothing }),
    ...{ parse: nothing, bind: nothing, execute: nothing, sync: nothing },
  };
  const client = {
    query: (query: pg.Submittable) => query.submit(connection as unknown as pg.Connection),
  };
  const taken: Buffer[] = [];
  const take = (data: Buffer, from: number, to: number) => taken.push(data.subarray(from, to));
  const statement = { text: "SELECT", values: [] };
  void binaryQuery(client as unknown as pg.ClientBase, statement, take, 2 ** 30);
  const places = [0, ...cuts.map((cut) => cut % sent.length).sort((a, b) => a - b), sent.length];
  for (let at = 1; at < places.length; at += 1)
    stream.emit("data", sent.subarray(places[at - 1], places[at]));
  return { taken: Buffer.concat(taken), left: Buffer.concat(left) };
}

test("rows are taken wherever they are cut, and the driver reads all that comes after them", () => {
  const content = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("D", "D", "D", "N", "S"), content), { maxLength: 8 }),
      fc.constantFrom("C", "E"),
      fc.array(fc.nat(), { maxLength: 12 }),
      (messages, last, cuts) => {
        const end = Buffer.concat([
          message(last, Buffer.from("x")),
          message("Z", Buffer.from("I")),
        ]);
        const sent = [
          message("1", Buffer.alloc(0)),
          message("2", Buffer.alloc(0)),
          ...messages.map(([code, bytes]) => message(code, bytes)),
          end,
        ];
        const { taken, left } = read(Buffer.concat(sent), cuts);
        const data = messages.filter(([code]) => code === "D").map(([, bytes]) => bytes);
        expect(taken).toEqual(Buffer.concat(data));
        expect(left).toEqual(end);
      },
    ),
    { seed, numRuns: 500 },
  );
});
