import { expect } from "../fixtures";
import { failure, forEachVersion, type Sdk, UNAUTHORIZED } from "./versions";

const RETURN = { returnUrl: "https://app.example.com/" };
const REFUSED = [
  "sso",
  "dsync",
  "domain_verification",
  "certificate_renewal",
  "bring_your_own_key",
];

const portalOf = (sdk: Sdk) => sdk.adminPortal ?? (sdk.portal as Sdk["adminPortal"]);

async function tokenFor({ widgets }: Sdk, organizationId: string): Promise<string> {
  const request = {
    organizationId,
    userId: "user_1",
    scopes: ["widgets:audit-log-streaming:manage" as never],
  };
  if (widgets.createToken) return (await widgets.createToken(request)).token;
  return (await widgets.getToken?.(request)) as string;
}

forEachVersion((it) => {
  for (const [intent, place] of [
    ["audit_logs", "events"],
    ["log_streams", "integrity/streams"],
  ] as const) {
    it(`a link for ${intent} opens once, at its place`, async ({ sdk, server, organizationId }) => {
      const options = { organization: organizationId, intent, ...RETURN };
      const { pathname, search } = new URL((await portalOf(sdk).generateLink(options)).link);
      const visit = () => fetch(server.url + pathname + search, { redirect: "manual" });
      expect((await visit()).headers.get("location")).toBe(`/o/${organizationId}/${place}`);
      expect((await visit()).headers.get("location")).toBe("/portal/ended");
    });
  }

  for (const intent of REFUSED) {
    it(`a link for ${intent} is refused in words`, async ({ sdk, organizationId }) => {
      const options = { organization: organizationId, intent: intent as "sso", ...RETURN };
      const refused = await failure(portalOf(sdk).generateLink(options));
      expect(refused).toMatchObject({ name: "UnprocessableEntityException", status: 422 });
      expect(refused.message).toContain("audit_logs or log_streams");
    });
  }

  it("what else the SDK sends along is taken", async ({ sdk, organizationId }) => {
    const { link } = await portalOf(sdk).generateLink({
      organization: organizationId,
      intent: "audit_logs",
      successUrl: "https://app.example.com/done",
      adminEmails: ["it@app.example.com"],
      intentOptions: { sso: { bookmarkSlug: "x" } },
      ...RETURN,
    } as Parameters<Sdk["adminPortal"]["generateLink"]>[0]);
    expect(new URL(link).pathname).toBe("/portal");
  });

  it("an organization that is not there is named", async ({ sdk }) => {
    const options = { organization: "bogus-id", intent: "audit_logs" as const };
    expect(await failure(portalOf(sdk).generateLink(options))).toMatchObject({
      name: "BadRequestException",
      message: "Could not find an organization with the id, bogus-id.",
    });
  });

  it("a wrong key is an UnauthorizedException", async ({ connect, organizationId }) => {
    const sdk = await connect({ key: "sk_wrong" });
    const options = { organization: organizationId, intent: "audit_logs" as const };
    expect(await failure(portalOf(sdk).generateLink(options))).toMatchObject(UNAUTHORIZED);
  });

  it("a widget's token reads the stream's state from any origin", async ({
    sdk,
    url,
    organizationId,
  }) => {
    const token = await tokenFor(sdk, organizationId);
    const [, payload = ""] = token.split(".");
    expect(JSON.parse(atob(payload))).toMatchObject({
      permissions: ["widgets:audit-log-streaming:manage"],
      exp: expect.any(Number),
    });
    const answer = await fetch(`${url}/_widgets/admin-portal/audit-log-stream`, {
      headers: { authorization: `Bearer ${token}`, origin: "https://app.example.com" },
    });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
    const link = await fetch(`${url}/_widgets/admin-portal/generate-link?intent=log_streams`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, origin: "https://app.example.com" },
    });
    expect([link.status, await link.json()]).toMatchObject([201, { link: expect.any(String) }]);
  });

  it("a widget's token for an organization that is not there is a NotFoundException", async ({
    sdk,
  }) => {
    expect(await failure(tokenFor(sdk, "org_123"))).toMatchObject({ name: "NotFoundException" });
  });
});
