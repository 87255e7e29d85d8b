import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeAuthority } from "@/e2e/fixtures/certificates";
import type { Scope } from "@/lib/auth/scope";
import { checkIssuer, discover } from "./discovery";
import { guardedAgent } from "./guarded-agent";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let issuer: string;
let answer: (response: http.ServerResponse) => void;
const server = http.createServer((_request, response) => answer(response));

const metadata = () => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
});
const says = (more: object) => {
  answer = (response) => response.end(JSON.stringify({ ...metadata(), ...more }));
};

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => says({}));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe("an issuer", () => {
  it("is asked for what sign-in needs, and RS256 is what it signs with unless it says otherwise", async () => {
    expect(await discover(issuer)).toMatchObject({
      tokenEndpoint: `${issuer}/token`,
      idTokenAlgorithm: "RS256",
      tokenAuthentication: "client_secret_basic",
    });
    says({
      id_token_signing_alg_values_supported: ["none", "HS256", "ES256"],
      token_endpoint_auth_methods_supported: ["private_key_jwt", "client_secret_post"],
    });
    expect(await discover(issuer)).toMatchObject({
      idTokenAlgorithm: "ES256",
      tokenAuthentication: "client_secret_post",
    });
  });

  const check = async (given = issuer) => {
    const { ok, words } = await checkIssuer({} as Scope, given);
    expect(ok).toBe(false);
    return words;
  };

  it.each([
    ["calls itself", { issuer: "https://evil.example.com" }],
    ["jwks_uri is missing or wrong", { jwks_uri: undefined }],
    [
      "authorization_endpoint is missing or wrong",
      { authorization_endpoint: "javascript:alert(1)" },
    ],
    ["token_endpoint is missing or wrong", { token_endpoint: "file:///etc/passwd" }],
    ["signs with HS256", { id_token_signing_alg_values_supported: ["HS256"] }],
    ["takes no client secret", { token_endpoint_auth_methods_supported: ["private_key_jwt"] }],
  ])("that is no use is said to be so: %s", async (words, more) => {
    says(more);
    expect(await check()).toContain(words);
  });

  it("that does not answer as one is said to be so", async () => {
    answer = (response) => response.end("<html>");
    expect(await check()).toContain("is not JSON");
    answer = (response) => response.writeHead(404).end();
    expect(await check()).toContain("answered 404");
    expect(await check("http://127.0.0.1:1")).toContain("did not answer: ECONNREFUSED");
    expect(await check("http://127.0.0.2:9")).toContain("TRAILSEAL_EGRESS_ALLOW");
  });
});

describe("the agent of next-auth's client", () => {
  const get = (url: string) =>
    new Promise<string>((resolve, reject) => {
      const request = http.get(url, { agent: guardedAgent }, async (response) => {
        let body = "";
        try {
          for await (const chunk of response) body += chunk;
          resolve(body);
        } catch (error) {
          reject(error);
        }
      });
      request.once("error", reject);
    });

  it("reaches what the operator allows, and nothing else that is private", async () => {
    answer = (response) => response.end("here");
    expect(await get(issuer)).toBe("here");
    await expect(get("http://127.0.0.2:9")).rejects.toThrow("not a public address");
    await expect(get("http://localhost:9")).rejects.toThrow(/not a public address|ECONNREFUSED/);
  });

  it("speaks TLS, and wants a certificate of the name that was asked", async () => {
    const authority = makeAuthority("Providers");
    const certificate = authority.issue({ name: "idp", hosts: ["127.0.0.1"] });
    const secure = https.createServer(certificate, (_request, response) => response.end("here"));
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    const { port } = secure.address() as AddressInfo;
    const ask = (options: https.RequestOptions) =>
      new Promise((resolve, reject) => {
        https
          .get(`https://127.0.0.1:${port}`, { ...options, agent: guardedAgent }, (response) => {
            resolve(response.statusCode);
            response.resume();
          })
          .once("error", reject);
      });
    expect(await ask({ ca: authority.cert })).toBe(200);
    await expect(ask({})).rejects.toThrow(/certificate/);
    await expect(ask({ ca: authority.cert, servername: "other.example" })).rejects.toThrow(
      /altnames/,
    );
    secure.closeAllConnections();
    secure.close();
  });

  it("takes no answer that has no end", async () => {
    answer = (response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536)));
        response.once("drain", more);
      };
      more();
    };
    await expect(get(issuer)).rejects.toThrow();
  });
});
