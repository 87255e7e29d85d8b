import http from "node:http";
import type { AddressInfo } from "node:net";
import type { WorkOS } from "@workos-inc/node";
import { test as base, expect } from "../fixtures";
import { runSql } from "../fixtures/log";
import type { TestServer } from "../server";
import { breachOf } from "./answers";

/** The official SDK in the versions that applications run: three that differ most always, all in the long run. */
const always = { "7.82": "workos7", "8.13": "workos8", "11.0": "@workos-inc/node" };
const long = { "9.3": "workos9", "10.9": "workos10-9", "10.14": "workos10-14" };
const versions = { ...always, ...(process.env.TRAILSEAL_LONG ? long : {}) };

/** The newest client, where older ones differ only in names. */
export type Sdk = WorkOS & {
  portal?: WorkOS["adminPortal"];
  widgets: { getToken?(body: object): Promise<string> };
};

type Constructor = new (key: string, options: object) => Sdk;

interface Target {
  key: string;
  port: number;
  timeout?: number;
  maxRetries?: number;
}

async function connect(name: string, { key, ...options }: Target): Promise<Sdk> {
  const loaded = (await import(name)) as { WorkOS?: Constructor; default: { WorkOS: Constructor } };
  const Client = loaded.WorkOS ?? loaded.default.WorkOS;
  return new Client(key, { apiHostname: "127.0.0.1", https: false, ...options });
}

export interface Context {
  server: TestServer;
  /** Where every answer is held against the contract. */
  url: string;
  /** With a key of the instance that may do everything. */
  sdk: Sdk;
  /** Of this version and worker, made through the SDK. */
  organizationId: string;
  /** The same version with another key, or to another port. */
  connect(options: Partial<Target>): Promise<Sdk>;
  makeKey(...options: string[]): Promise<string>;
  /** Events of an action in the organization, as they are stored. */
  stored(action: string): Promise<Stored[]>;
}

interface Stored {
  version: number;
  occurred_at: Date;
  actor: object;
  targets: object[];
  context: object | null;
  metadata: object | null;
}

/** Passes everything on, and holds every 2xx answer against the contract. */
async function startCheckedProxy(target: string, breaches: string[]) {
  const server = http.createServer((request, response) => {
    const { method = "", headers, url = "/" } = request;
    const upstream = http.request(new URL(url, target), { method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("end", () => {
        const body = Buffer.concat(chunks);
        const status = answer.statusCode ?? 502;
        const breach = status < 300 ? breachOf(method, url, status, body.toString()) : null;
        if (breach) breaches.push(breach);
        response.writeHead(status, answer.headers).end(body);
      });
    });
    upstream.once("error", () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function openContext(server: TestServer, name: string, port: number): Promise<Context> {
  const makeKey: Context["makeKey"] = async (...options) =>
    (await server.cliJson<{ key: string }>("keys", "create", "--name", "sdk", ...options)).key;
  const key = await makeKey("--permissions", "admin");
  const sdk = await connect(name, { key, port });
  const { id: organizationId } = await sdk.organizations.createOrganization({
    name: `SDK ${name}`,
  });
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    sdk,
    organizationId,
    makeKey,
    connect: (options) => connect(name, { key, port, ...options }),
    stored: (action) =>
      runSql<Stored>(server, [
        `SELECT version, occurred_at, actor, targets, context, metadata FROM events
         WHERE organization_id = $1 AND action = $2 ORDER BY seq`,
        [organizationId, action],
      ]),
  };
}

const contexts = new Map<string, Promise<Context>>();
const breaches: string[] = [];

/** The same cases for each version: every one is a test, and every answer it got keeps the contract. */
export function forEachVersion(
  define: (it: (what: string, run: (context: Context) => Promise<void>) => void) => void,
): void {
  for (const [version, name] of Object.entries(versions)) {
    base.describe(`SDK ${version}`, () => {
      define((what, run) =>
        base(what, async ({ server }) => {
          const opened =
            contexts.get(name) ??
            startCheckedProxy(server.url, breaches).then(({ port }) =>
              openContext(server, name, port),
            );
          contexts.set(name, opened);
          await run(await opened);
          expect(breaches.splice(0)).toEqual([]);
        }));
    });
  }
}

/** What the SDK threw, by the name of its class. */
export async function failure(work: Promise<unknown>) {
  const error = await work.then(
    () => null,
    (thrown: Error) => thrown,
  );
  return { ...error, name: error?.constructor.name, message: error?.message };
}

export const UNAUTHORIZED = { name: "UnauthorizedException", status: 401 };

export const eventOf = (action: string) => ({
  action,
  occurredAt: new Date("2026-01-02T03:04:05.678Z"),
  actor: { type: "user", id: "usr_1", metadata: { role: "owner" } },
  targets: [{ type: "team", id: "team_1" }],
  context: { location: "203.0.113.9", userAgent: "e2e" },
  metadata: { amount: 129.5, dry: false },
});

/** A name that no other test has. */
export const unique = (word: string) =>
  `${word}.${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
