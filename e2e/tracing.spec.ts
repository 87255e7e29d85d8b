import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "./fixtures";
import { TestServer } from "./server";

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
}
interface Sent {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { scope: { name: string }; spans: Span[] }[];
  }[];
}

/** Takes OTLP/HTTP in JSON on loopback. */
async function collector() {
  const bodies: string[] = [];
  const server = http.createServer((request, response) => {
    text(request).then(
      (body) => {
        bodies.push(body);
        response.setHeader("content-type", "application/json").end("{}");
      },
      () => response.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const resources = () => bodies.flatMap((body) => (JSON.parse(body) as Sent).resourceSpans);
  return {
    url: `http://127.0.0.1:${port}`,
    all: () => bodies.join("\n"),
    /** Those of Next's within are its own. */
    spans: () =>
      resources().flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ scope, spans }) => (scope.name === "trailseal" ? spans : [])),
      ),
    services: () =>
      resources().flatMap(({ resource }) =>
        resource.attributes.flatMap(({ key, value }) =>
          key === "service.name" ? [value.stringValue] : [],
        ),
      ),
    close: () => server.close(),
  };
}

test("a collector that is configured gets requests with their statements, and nothing of what they say", async () => {
  test.setTimeout(120_000);
  const to = await collector();
  const server = new TestServer({
    OTEL_EXPORTER_OTLP_ENDPOINT: to.url,
    OTEL_BSP_SCHEDULE_DELAY: "200",
    TRUSTED_PROXIES: "127.0.0.1,::1",
  });
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Traced");
    const { key } = await server.cliJson<{ key: string }>(
      ...["keys", "create", "--name", "t", "--permissions", "admin"],
    );
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const send = (path: string, body?: object) =>
      fetch(server.url + path, {
        method: body ? "POST" : "GET",
        headers: {
          authorization: `Bearer ${key}`,
          traceparent: `00-${traceId}-b7ad6b7169203331-01`,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const stored = await send("/audit_logs/events", {
      organization_id: id,
      event: {
        action: "user.signed_in",
        occurred_at: "2026-03-02T06:00:00Z",
        actor: { type: "user", id: "hidden-actor", name: "hidden-name" },
        targets: [],
        context: { location: "203.0.113.9", user_agent: "hidden-agent" },
      },
    });
    expect(stored.status).toBe(200);
    expect((await send(`/v1/events?organization_id=${id}&q=hidden-words`)).status).toBe(200);
    const byExternalId = await send("/organizations/external_id/hidden@example.com");
    expect(byExternalId.status).toBe(404);
    for (const path of ["/portal?token=hidden-token", "/invitation?token=hidden-token", "/sign-in"])
      expect((await fetch(server.url + path, { headers: { accept: "text/html" } })).status).toBe(
        200,
      );

    const named = (name: string) => to.spans().filter((span) => span.name === name);
    await expect.poll(() => named("POST /audit_logs/events"), { timeout: 20_000 }).toHaveLength(1);
    await expect.poll(() => named("GET /invitation"), { timeout: 20_000 }).toHaveLength(1);
    await expect.poll(() => named("checkpoint").length, { timeout: 60_000 }).toBeGreaterThan(0);
    const [request] = named("POST /audit_logs/events");
    expect(request).toMatchObject({ traceId, parentSpanId: "b7ad6b7169203331" });
    const statements = to.spans().filter((span) => span.traceId === traceId);
    expect(statements.map(({ name }) => name)).toContain("SELECT");
    expect(new Set(to.services())).toEqual(new Set(["trailseal-server", "trailseal-worker"]));
  } finally {
    await server.remove();
    to.close();
  }
  // The rest of it came at the end.
  for (const said of ["hidden-", "203.0.113.9", "sk_"]) expect(to.all()).not.toContain(said);
});
