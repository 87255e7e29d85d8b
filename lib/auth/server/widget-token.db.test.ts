import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { systemInstanceScope, systemScope } from "./system-scope";
import { authenticateWidget, issueWidgetToken, WIDGET_SCOPE } from "./widget-token";

const PLACE = "handler:/_widgets/admin-portal/audit-log-stream";
let db: TestDatabase;
let acme: string;

beforeAll(async () => {
  db = await testDatabase();
  acme = (await createOrganization(systemInstanceScope("cli"), { name: "Acme" })).id;
});

afterAll(() => db.close());

const tokenOf = (permissions: string[], nowMs?: number) =>
  issueWidgetToken(systemScope("cli", acme), permissions, nowMs);
const withToken = (token: string) =>
  new Request("http://localhost/", { headers: { authorization: `Bearer ${token}` } });

describe("a widget's token", () => {
  it("has claims that atob can read, whatever base64url is", () => {
    const claims = tokenOf([WIDGET_SCOPE]).split(".")[1] as string;
    expect(claims).not.toMatch(/[-_]/);
    expect(JSON.parse(atob(claims))).toMatchObject({
      permissions: [WIDGET_SCOPE],
      exp: expect.any(Number),
    });
  });

  it("reads its organization", async () => {
    const scope = await authenticateWidget(withToken(tokenOf([WIDGET_SCOPE])), PLACE);
    expect(scope).toMatchObject({ organizationId: acme });
    expect([...scope.permissions]).toEqual(["streams:read"]);
  });

  it("is refused when it has ended, permits nothing, or is not ours", async () => {
    const good = tokenOf([WIDGET_SCOPE]);
    const [header, , signature] = good.split(".");
    const forged = Buffer.from(
      JSON.stringify({ org_id: acme, permissions: [WIDGET_SCOPE], exp: 9e9 }),
    ).toString("base64url");
    const bad = [
      "x",
      tokenOf([]),
      tokenOf([WIDGET_SCOPE], Date.now() - 3_601_000),
      `${header}.${forged}.${signature}`,
      `${good}.x`,
      `${good.slice(0, -6)}AAAAAA`,
    ];
    for (const token of bad) {
      await expect(authenticateWidget(withToken(token), PLACE), token).rejects.toMatchObject({
        code: "forbidden",
      });
    }
  });
});
