import type { APIRequestContext, APIResponse, PlaywrightWorkerArgs } from "@playwright/test";
import pg from "pg";
import type { Role } from "../../lib/auth/roles";
import { hashPassword } from "../../lib/auth/server/passwords";
import { newId } from "../../lib/ids";
import { runSql } from "../fixtures/log";
import type { TestServer } from "../server";

export type Playwright = PlaywrightWorkerArgs["playwright"];

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

const PASSWORD = "correct horse battery";
let passwordHash: Promise<string> | undefined;

/** A new member of one organization; without the command line, whose start takes longer than most tests. */
export async function createMember(
  server: TestServer,
  organizationId: string,
  role: Role = "admin",
): Promise<Credentials & { id: string }> {
  passwordHash ??= hashPassword(PASSWORD);
  const id = newId("user");
  const email = `${id.toLowerCase()}@example.com`;
  await runSql(
    server,
    [
      "INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, $2, $3)",
      [id, email, await passwordHash],
    ],
    [
      "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3)",
      [organizationId, id, role],
    ],
  );
  return { id, email, password: PASSWORD };
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
