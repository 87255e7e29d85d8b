import net from "node:net";
import type { BrowserType } from "@playwright/test";
import { expect, test } from "../fixtures";
import { ADMIN } from "../global-setup";
import { TestServer } from "../server";
import { createMember, signInByRequest, visit } from "./visitor";

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

const isSession = ({ name }: { name: string }) => name.includes("session-token");

test("signing out ends the session itself, so that a copied cookie is worth nothing", async ({
  playwright,
  server,
  organization,
}) => {
  const member = await visit(playwright, server, await createMember(server, organization.id));
  const storageState = await member.storageState();
  const thief = await playwright.request.newContext({ baseURL: server.url, storageState });
  const open = () => thief.get("/o", { maxRedirects: 0 });
  expect((await open()).status()).toBe(200);
  const { csrfToken } = (await (await member.get("/api/auth/csrf")).json()) as {
    csrfToken: string;
  };
  await member.post("/api/auth/signout", { form: { csrfToken, json: "true" } });
  expect((await open()).status()).toBe(307);
});

test("the dashboard's own sign-out does so too, and forgets the cookie", async ({
  playwright,
  server,
  signedIn: page,
}) => {
  await page.goto(`${server.url}/o`);
  const storageState = await page.context().storageState();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  expect((await page.context().cookies()).filter(isSession)).toEqual([]);
  const thief = await playwright.request.newContext({ baseURL: server.url, storageState });
  expect((await thief.get("/o", { maxRedirects: 0 })).status()).toBe(307);
});

test("the session cookie is out of reach of scripts and other sites", async ({
  playwright,
  server,
}) => {
  const request = await visit(playwright, server, ADMIN);
  const cookie = (await request.storageState()).cookies.find(isSession);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", secure: false, path: "/" });
});

test("a wrong password and an unknown e-mail get the same answer", async ({
  playwright,
  server,
  organization,
}) => {
  const member = await createMember(server, organization.id);
  const answers = [];
  for (const email of [member.email, "nobody@example.com"]) {
    const request = await visit(playwright, server);
    const response = await signInByRequest(request, { email, password: "not the password" });
    answers.push([response.status(), await response.text()]);
    expect((await request.storageState()).cookies.filter(isSession)).toEqual([]);
  }
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]?.[0]).toBe(401);
});

test("signing in and out demand the form's token", async ({ playwright, server }) => {
  const request = await visit(playwright, server);
  await request.get("/api/auth/csrf");
  for (const csrfToken of ["", "0".repeat(64)]) {
    await request.post("/api/auth/callback/credentials", {
      form: { ...ADMIN, csrfToken, json: "true" },
      maxRedirects: 0,
    });
  }
  expect((await request.storageState()).cookies.filter(isSession)).toEqual([]);
  const member = await visit(playwright, server, ADMIN);
  await member.post("/api/auth/signout", { form: { csrfToken: "x" }, maxRedirects: 0 });
  expect((await member.get("/o", { maxRedirects: 0 })).status()).toBe(200);
});

test("no page of another site can act for somebody who is signed in", async ({
  playwright,
  server,
}) => {
  const member = await visit(playwright, server, ADMIN);
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example.com" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
  ];
  for (const headers of foreign) {
    for (const target of ["/o", "/api/auth/signout", "/api/auth/callback/credentials"]) {
      const response = await member.post(target, { headers, form: {}, maxRedirects: 0 });
      expect(response.status(), `${target} ${JSON.stringify(headers)}`).toBe(403);
    }
  }
  const frame = await member.get("/o");
  expect(frame.headers()["x-frame-options"]).toBe("DENY");
});

test("sign-in leads nowhere but here", async ({ playwright, server }) => {
  const request = await visit(playwright, server);
  const { csrfToken } = (await (await request.get("/api/auth/csrf")).json()) as {
    csrfToken: string;
  };
  const response = await request.post("/api/auth/callback/credentials", {
    form: { ...ADMIN, csrfToken, callbackUrl: "https://evil.example.com/", json: "true" },
  });
  const { url } = (await response.json()) as { url: string };
  expect(new URL(url).origin).toBe(new URL(server.url).origin);
});

test("by any name of the machine, over plain http, people sign in, but not unwarned", async ({
  browserName,
  playwright,
  server,
}) => {
  const launcher = playwright[browserName] as BrowserType;
  const executablePath = process.env.TRAILSEAL_CHROMIUM || undefined;
  const args = ["--disable-gpu", "--host-resolver-rules=MAP audit.test 127.0.0.1"];
  const browser = await launcher.launch({ executablePath, args });
  try {
    for (const [host, isWarned] of [
      ["audit.test", true],
      ["127.0.0.1", false],
    ] as const) {
      const page = await browser.newPage();
      const url = new URL(server.url);
      url.hostname = host;
      await page.goto(`${url.origin}/sign-in`);
      await expect(page.getByText(url.host, { exact: true })).toBeVisible();
      await expect(page.getByText("not encrypted")).toBeVisible({ visible: isWarned });
      await page.getByLabel("E-mail").fill(ADMIN.email);
      await page.getByLabel("Password").fill(ADMIN.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL((target) => target.pathname.startsWith("/o"));
      expect(new URL(page.url()).host).toBe(url.host);
      await page.goto(`${url.origin}/o`);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.waitForURL("**/sign-in");
      await expect(page.getByText(url.host, { exact: true })).toBeVisible();
      await expect(page.getByText("not encrypted")).toBeVisible({ visible: isWarned });
      await page.close();
    }
  } finally {
    await browser.close();
  }
});

test("a form sent before its script arrives does not put the password into the address", async ({
  browser,
  server,
}) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.getByLabel("Password").fill(ADMIN.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
  expect(page.url()).not.toContain("password");
  await context.close();
});

test("behind TLS, cookies are Secure and the configured address is our own", async ({
  playwright,
}) => {
  const url = "https://audit.example.com";
  const port = await freePort();
  const server = new TestServer({
    PORT: String(port),
    TRAILSEAL_URL: url,
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  try {
    await server.start();
    const request = await playwright.request.newContext({ baseURL: `http://127.0.0.1:${port}` });
    const csrf = await request.get("/api/auth/csrf");
    const { csrfToken } = (await csrf.json()) as { csrfToken: string };
    const cookies = (headers: string[]) => headers.map((header) => header.split(";", 1)[0]);
    const setBy = (response: typeof csrf) =>
      response
        .headersArray()
        .filter(({ name }) => name.toLowerCase() === "set-cookie")
        .map(({ value }) => value);
    const response = await request.post("/api/auth/callback/credentials", {
      headers: { cookie: cookies(setBy(csrf)).join("; "), origin: url },
      form: { ...ADMIN, csrfToken, json: "true" },
      maxRedirects: 0,
    });
    const session = setBy(response).find((header) => /session-token/.test(header));
    expect(session).toMatch(/^__Secure-.*; Secure/);
    expect(((await response.json()) as { url: string }).url).toContain(url);
    const foreign = { origin: "https://evil.example.com" };
    expect((await request.post("/o", { headers: foreign })).status()).toBe(403);
  } finally {
    await server.remove();
  }
});
