import type { APIRequestContext, APIResponse, PlaywrightWorkerArgs } from "@playwright/test";
import pg from "pg";
import type { TestServer } from "../server";

type Playwright = PlaywrightWorkerArgs["playwright"];

export interface Credentials {
  email: string;
  password: string;
}

/** Signs in as a browser's form does, without a browser. */
export async function signInByRequest(
  request: APIRequestContext,
  credentials: Credentials,
): Promise<APIResponse> {
  const { csrfToken } = (await (await request.get("/api/auth/csrf")).json()) as {
    csrfToken: string;
  };
  return request.post("/api/auth/callback/credentials", {
    form: { ...credentials, csrfToken, json: "true" },
    maxRedirects: 0,
  });
}

/** Somebody with a cookie jar of their own; signed in when there are credentials. */
export async function visit(
  playwright: Playwright,
  server: TestServer,
  credentials?: Credentials,
): Promise<APIRequestContext> {
  const request = await playwright.request.newContext({ baseURL: server.url });
  if (credentials) await signInByRequest(request, credentials);
  return request;
}

/** A new member of one organization. */
export async function createMember(
  server: TestServer,
  organizationId: string,
): Promise<Credentials & { id: string }> {
  const email = `member-${Math.random().toString(36).slice(2)}@example.com`;
  const args = ["users", "create", "--email", email, "--org", organizationId];
  return { email, ...(await server.cliJson<{ id: string; password: string }>(...args)) };
}

/** Changes rows as the owner of the database. */
export async function asOwner(server: TestServer, sql: string, values: unknown[]): Promise<number> {
  const client = new pg.Client({ connectionString: server.ownerUrl() });
  await client.connect();
  try {
    return (await client.query(sql, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
