import { expect, test } from "../fixtures";
import { type Fault, startFaultProxy } from "../fixtures/fault-proxy";
import { TestServer } from "../server";
import { eventOf, failure, forEachVersion, unique } from "./versions";

const FAULTS: Fault[] = [500, 502, 504, "reset", "silence"];

forEachVersion((it) => {
  for (const fault of FAULTS) {
    const what = typeof fault === "number" ? `a ${fault}` : fault;
    it(`an answer lost to ${what} after the event was stored leaves one event`, async (context) => {
      const { connect, organizationId, server } = context;
      const proxy = await startFaultProxy(server.url, fault);
      try {
        const { auditLogs } = await connect({ port: proxy.port, timeout: 1_000 });
        const action = unique("f.lost");
        await auditLogs.createEvent(organizationId, eventOf(action));
        expect(proxy.keys.length).toBeGreaterThan(1);
        expect(new Set(proxy.keys).size).toBe(1);
        expect(await context.stored(action)).toHaveLength(1);
      } finally {
        proxy.close();
      }
    });
  }
});

test.describe("past the limit of a key", () => {
  let limited: TestServer;
  test.beforeAll(async () => {
    limited = new TestServer({ TRAILSEAL_RATE_LIMIT_PER_MINUTE: "2" });
    await limited.start();
  });
  test.afterAll(() => limited.remove());

  forEachVersion((it) => {
    it("the SDK throws its RateLimitExceededException with the seconds to wait", async ({
      connect,
    }) => {
      const { id } = await limited.cliJson<{ id: string }>("orgs", "create", "--name", "Busy");
      const { key } = await limited.cliJson<{ key: string }>("keys", "create", "--name", "k");
      const port = Number(new URL(limited.url).port);
      const { auditLogs } = await connect({ key, port, maxRetries: 0 });
      const send = () => auditLogs.createEvent(id, eventOf(unique("f.limit")));
      await send();
      await send();
      expect(await failure(send())).toMatchObject({
        name: "RateLimitExceededException",
        status: 429,
        retryAfter: expect.any(Number),
      });
    });
  });
});
