import { expect, test } from "./fixtures";

const policyOf = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(url, { headers, redirect: "manual" })).headers.get("content-security-policy") ?? "";

test("a page runs the scripts of its own answer alone", async ({ browser, server }) => {
  const url = `${server.url}/sign-in`;
  const [first, second] = [await policyOf(url), await policyOf(url)];
  expect(first).toContain("default-src 'none'");
  expect(first).toMatch(/script-src 'nonce-[\w+/=]{24}' 'strict-dynamic'/);
  expect(first).not.toMatch(
    /unsafe-eval|script-src[^;]*unsafe-inline|style-src [^;]*unsafe-inline/,
  );
  expect(second).not.toBe(first);

  // Of its own: what is refused here is meant to be.
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.goto("/sign-in");
  const hasRun = await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", `<img src="x" onerror="window.injected = true">`);
    return new Promise((done) => setTimeout(() => done("injected" in window), 500));
  });
  expect(hasRun).toBe(false);
  await page.context().close();
});

test("a client's own policy does not become the server's", async ({ server }) => {
  const given = "script-src 'nonce-chosen'";
  const headers = { "content-security-policy": given, "x-nonce": "chosen" };
  expect(await policyOf(`${server.url}/sign-in`, headers)).not.toContain("chosen");
  const page = await (await fetch(`${server.url}/sign-in`, { headers })).text();
  expect(page).not.toContain("chosen");
});

test("no answer may be framed, sniffed or leak where it was", async ({ server }) => {
  for (const path of ["/sign-in", "/healthz", "/v1/events", "/proof-worker.js", "/nowhere"]) {
    const { headers } = await fetch(`${server.url}${path}`);
    expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
    expect(headers.get("x-frame-options"), path).toBe("DENY");
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    expect(headers.get("referrer-policy"), path).toBe("same-origin");
    expect(headers.get("x-powered-by"), path).toBeNull();
    // Over plain HTTP a browser has to ignore it.
    expect(headers.get("strict-transport-security"), path).toBeNull();
  }
});
