import { expect, signIn, test } from "./fixtures";
import { expectAccessible } from "./fixtures/accessible";
import { TestServer } from "./server";

const TOKEN = "a-monitor's-own-token";

test("an operator sees what runs; a member sees no such page", async ({
  signedIn: page,
  server,
  organization,
  browser,
}) => {
  await page.goto("/o");
  await page.getByRole("link", { name: "Instance" }).click();
  await page.waitForURL("**/instance");
  const processes = page.getByRole("region", { name: "Processes" });
  await expect(async () => {
    await page.reload();
    await expect(processes.getByText("Worker on")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expect(processes.getByText("Server on").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "Storage" })).toContainText(/Database[\d.]+ MB/);
  await expect(page.getByRole("region", { name: "Backup and mail" })).toContainText(
    "set TRAILSEAL_SMTP_URL",
  );
  await expectAccessible(page, "instance");

  const email = `ops-${Date.now()}@example.com`;
  const options = ["--email", email, "--org", organization.id, "--role", "owner"];
  const { password } = await server.cliJson<{ password: string }>("users", "create", ...options);
  const guest = await (await browser.newContext({ baseURL: server.url })).newPage();
  await guest.goto("/instance");
  await expect(guest).toHaveURL(/sign-in/);
  await signIn(guest, server.url, { email, password });
  expect((await guest.goto("/instance"))?.status()).toBe(404);
  await guest.goto("/o");
  await expect(guest.getByRole("link", { name: "Instance" })).toHaveCount(0);
  await guest.context().close();
});

test("monitoring reads metrics with its token, and only with it", async () => {
  test.setTimeout(120_000);
  const server = new TestServer({ TRAILSEAL_METRICS_TOKEN: TOKEN });
  try {
    await server.start();
    const read = (authorization?: string) =>
      fetch(`${server.url}/metrics`, authorization ? { headers: { authorization } } : {});
    expect((await read()).status).toBe(401);
    expect((await read("Bearer another-token-altogether")).status).toBe(401);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const answer = await read(`Bearer ${TOKEN}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("version=0.0.4");
    const text = await answer.text();
    expect(text).toMatch(/^trailseal_processes\{kind="server"\} 1$/m);
    expect(text).toMatch(/^trailseal_events 0$/m);
    expect(text).toMatch(/^trailseal_http_requests_total\{status="4xx"\} [2-9]/m);
    expect(text).not.toContain(TOKEN);
  } finally {
    await server.remove();
  }
});

test("without a token there are no metrics", async ({ server }) => {
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
});
