import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { methodsIn, routeOf, sourcesUnder } from "@/lib/auth/test-sources";
import { API_ROUTES, createFront } from "./front";

const root = path.resolve(import.meta.dirname, "../..");
const handlers = sourcesUnder(root, "app/(api)").filter(({ file }) => /\/route\.ts$/.test(file));

let front: ReturnType<typeof createFront>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  front = createFront([]);
  front.ready(async (request, response) => {
    for await (const _ of request);
    response.end("taken");
  });
  front.server.listen(0, "127.0.0.1");
  await once(front.server, "listening");
});

afterEach(() => {
  vi.useRealTimers();
  front.server.closeAllConnections();
  front.server.close();
});

/** A client that says what its body will have, and sends what it is told to. */
async function begin(path: string, length: number) {
  const socket = net.connect((front.server.address() as AddressInfo).port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  const ended = new Promise((closed) => socket.once("close", closed));
  socket.on("error", () => undefined);
  const send = async (text: string) => {
    await new Promise<void>((written) => socket.write(text, () => written()));
    await new Promise((done) => setTimeout(done, 30));
  };
  await send(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`,
  );
  return { send, ended, answer: () => answer };
}

test("a body that does not arrive within a minute is refused, however slowly it trickles", async () => {
  const client = await begin("/o/org_x/import", 4);
  await client.send("a");
  vi.advanceTimersByTime(60_000);
  await client.ended;
  expect(client.answer()).toMatch(/^HTTP\/1\.1 408 [\s\S]*request_timeout/);
});

test("an upload may take any time while something arrives, and no minute of silence", async () => {
  const client = await begin("/o/org_x/import/upload", 4);
  for (const byte of "abc") {
    await client.send(byte);
    vi.advanceTimersByTime(60_000);
  }
  expect(client.answer()).toBe("");
  vi.advanceTimersByTime(60_000);
  await client.ended;
  expect(client.answer()).toMatch(/^HTTP\/1\.1 408 /);

  const whole = await begin("/o/org_x/import/upload", 2);
  await whole.send("a");
  vi.advanceTimersByTime(60_000);
  await whole.send("b");
  vi.advanceTimersByTime(120_000);
  await whole.ended;
  expect(whole.answer()).toMatch(/^HTTP\/1\.1 200 [\s\S]*taken/);
});

test("an upload that says to be larger than the operator allows is refused before it is sent", async () => {
  const client = await begin("/o/org_x/import/upload", 2_147_483_649);
  // What is dropped for the sender to read the answer is bounded, too.
  void client.send("a".repeat(17_000_000));
  await vi.waitFor(() => expect(client.answer()).toMatch(/^HTTP\/1\.1 413 /), 4_000);
});

test.each(handlers.map((source) => [routeOf(source.file), source] as const))(
  "lets through what %s answers, and no other method",
  (route, source) => {
    const example = route.replace(/\[\w+\]/g, "some_id");
    const found = API_ROUTES.find((candidate) => candidate.path.test(example));
    expect(found?.methods.toSorted()).toEqual(methodsIn(source).sort());
  },
);
