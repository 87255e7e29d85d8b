import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { expect, test } from "../fixtures";
import { expectAccessible, expectAccessibleNow } from "../fixtures/accessible";
import { newPortalLink } from "../fixtures/portal";
import { TestServer } from "../server";

/** Two pixels of a colour. */
const LOGO = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

for (const width of [1440, 390]) {
  test(`a link that is handed on opens after a click, is told of, and ends when it is revoked (${width} px)`, async ({
    signedIn: page,
    organization,
    browser,
    server,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`/o/${organization.id}/settings/portal`);
    await expect(page.getByText("There are none yet.")).toBeVisible();
    await expect(page.getByLabel("Mail it to")).toHaveCount(0);
    await page.getByLabel("It opens").selectOption("audit_logs");
    await page.getByRole("button", { name: "Make a link" }).press("Enter");
    const link = await page.getByTestId("new-link").innerText();
    await expectAccessible(page, "portal links");
    await page.setViewportSize({ width, height: 844 });
    const row = page.getByRole("listitem").filter({ hasText: "Events" }).last();
    await expect(row).toContainText("Not opened yet");

    const guest = await (await browser.newContext({ viewport: { width, height: 844 } })).newPage();
    // What scans a mail gets the page, and may follow it as often as it likes.
    for (const method of ["GET", "HEAD", "GET"])
      expect((await fetch(link, { method })).status, method).toBe(200);
    await guest.goto(link);
    await expect(guest.getByRole("heading", { name: "Acme" })).toBeVisible();
    await expectAccessibleNow(guest);
    await guest.getByRole("button", { name: "Open the audit log" }).press("Enter");
    await guest.waitForURL(`**/o/${organization.id}/events`);
    await expect(guest.getByRole("heading", { name: "Events", exact: true })).toBeVisible();

    await page.reload();
    await expect(row).toContainText("lasts until");
    await row.getByRole("button", { name: "Revoke" }).press("Enter");
    await expect(page.getByText("There are none yet.")).toBeVisible();
    await guest.goto(`${server.url}/o/${organization.id}/events`);
    await expect(guest).toHaveURL(/\/portal\/ended$/);
    await guest.goto(link);
    await expect(guest).toHaveURL(/\/portal\/ended$/);
    await expectAccessibleNow(guest);
    await guest.context().close();
  });
}

test("the portal is shown in the operator's name, and leads back where it may alone", async ({
  signedIn: page,
  organization,
  browser,
  server,
}) => {
  await page.goto("/instance");
  await page.getByRole("link", { name: "Portal" }).click();
  const save = async () => {
    await page.getByRole("button", { name: "Save" }).click();
  };
  await page.getByLabel("Return addresses").fill("https://app.example.com\nnonsense");
  await save();
  await expect(page.locator("main").getByRole("alert")).toHaveText(
    /^nonsense is not an address such as/,
  );
  await page.getByLabel("Return addresses").fill("https://app.example.com");
  await page.getByLabel("Name").fill("Example Cloud");
  await page.getByLabel("Colour", { exact: true }).fill("#0b1f6b");
  await page.getByLabel("Logo").setInputFiles({
    name: "logo.png",
    mimeType: "image/png",
    buffer: Buffer.from("<svg/>"),
  });
  await save();
  await expect(page.locator("main").getByRole("alert")).toHaveText(
    "must be a PNG, JPEG or WebP picture",
  );
  const logo = { name: "logo.png", mimeType: "image/png", buffer: LOGO };
  await page.getByLabel("Logo").setInputFiles(logo);
  await save();
  await expect(page.getByText("Saved.")).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Name")).toHaveValue("Example Cloud");
  await expectAccessible(page, "branding");

  const link = (body: object) =>
    fetch(`${server.url}/portal/generate_link`, {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.TRAILSEAL_TEST_KEY}` },
      body: JSON.stringify({ organization: organization.id, intent: "log_streams", ...body }),
    });
  const refused = await link({ return_url: "https://app.example.com.evil.test/" });
  expect(refused.status).toBe(422);
  expect((await refused.json()).errors[0].code).toContain("return_url is not among");
  const made = await link({
    return_url: "https://app.example.com/x",
    success_url: "https://app.example.com/done",
  });
  const { pathname, search } = new URL((await made.json()).link);

  const guest = await (await browser.newContext({ baseURL: server.url })).newPage();
  await guest.goto(pathname + search);
  const picture = guest.getByRole("img", { name: "Example Cloud" });
  await expect(picture).toBeVisible();
  await expect(guest).toHaveTitle("Streams · Example Cloud");
  expect(await picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1);
  await expect(guest.getByRole("link", { name: "Finish" })).toHaveAttribute(
    "href",
    "https://app.example.com/done",
  );
  const primary = guest.locator(".button-primary").first();
  await guest.emulateMedia({ colorScheme: "light" });
  await expect(primary).toHaveCSS("background-color", "rgb(11, 31, 107)");
  // It would be lost on a dark page.
  await guest.emulateMedia({ colorScheme: "dark" });
  await expect(primary).not.toHaveCSS("background-color", "rgb(11, 31, 107)");
  await expectAccessible(guest, "portal with a brand");
  await guest.context().close();

  await page.getByLabel("Name").fill("");
  await page.getByLabel("Colour", { exact: true }).fill("");
  await page.getByLabel("Return addresses").fill("");
  await page.getByRole("button", { name: "Take it away" }).click();
  await save();
  await expect(page.getByText("Saved.")).toBeVisible();
  expect((await fetch(`${server.url}/portal/logo`)).status).toBe(404);
  expect(await newPortalLink(server, organization.id)).toContain("token=");
});

test("who is named in generate_link gets a mail whose link opens the portal", async ({
  browser,
}) => {
  test.setTimeout(120_000);
  const mails: string[] = [];
  const mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        mails.push(Buffer.concat(chunks).toString().replace(/=\r\n/g, "").replace(/=3D/g, "="));
        done();
      });
    },
  });
  mailServer.listen(0, "127.0.0.1");
  await once(mailServer.server, "listening");
  const { port } = mailServer.server.address() as AddressInfo;
  const server = new TestServer({
    TRAILSEAL_SMTP_URL: `smtp://127.0.0.1:${port}`,
    TRAILSEAL_ALERT_EMAIL: "ops@example.com",
  });
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Globex");
    const options = ["--name", "portal", "--permissions", "admin"];
    const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
    const body = { organization: id, intent: "audit_logs", admin_emails: ["it@globex.example"] };
    const response = await fetch(`${server.url}/portal/generate_link`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(201);
    await expect.poll(() => mails.length, { timeout: 20_000 }).toBe(1);
    expect(mails[0]).toContain("To: it@globex.example");
    const path = /\/portal\/enter\?token=[\w-]{43}/.exec(mails[0] ?? "")?.[0] ?? "no link";
    const guest = await (await browser.newContext()).newPage();
    await guest.goto(server.url + path);
    await guest.getByRole("button", { name: "Open the audit log" }).click();
    await guest.waitForURL(`**/o/${id}/events`);
    await guest.context().close();
  } finally {
    await server.remove();
    mailServer.close();
  }
});
