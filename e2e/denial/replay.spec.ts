import type { APIRequestContext, Page, Request } from "@playwright/test";
import { expect, test } from "../fixtures";
import { forEach } from "./places";
import { createTenant, digestOf, type Tenant } from "./tenant";

interface Recorded {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | null;
}

/** What tells Next which kind of answer is wanted; the rest is the browser's own. */
const KEPT = /^(accept|content-type|rsc|next-.*)$/;

async function record(request: Request): Promise<Recorded> {
  const url = new URL(request.url());
  // A hash of the headers, which another organization's have not.
  url.searchParams.delete("_rsc");
  const all = await request.allHeaders();
  const headers = Object.fromEntries(Object.entries(all).filter(([name]) => KEPT.test(name)));
  return {
    method: request.method(),
    path: url.pathname + url.search,
    headers,
    body: request.postDataBuffer(),
  };
}

/** Everything that a browser asks for while somebody walks through the places of an organization. */
async function walk(page: Page, { organization, stream, event }: Tenant): Promise<Recorded[]> {
  const pending: Promise<Recorded>[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.startsWith("/_next/") && pathname !== "/icon.svg") pending.push(record(request));
  });
  const base = `/o/${organization}`;
  await page.goto(base);
  await page
    .getByRole("navigation", { name: "Main" })
    .getByRole("link", { name: "Events" })
    .click();
  await page.getByTestId("event-row").first().click();
  await expect(page.getByTestId("drawer-title")).toBeVisible();
  await page.goto(`${base}/events?q=action:user.signed_in&event=${event}`);
  await expect(page.getByTestId("drawer-title")).toHaveText("user.signed_in");
  await page.evaluate((path) => fetch(path).then((answer) => answer.text()), `${base}/events/csv`);
  for (const path of ["exports", "integrity", "integrity/streams", "schemas", "settings/members"]) {
    await page.goto(`${base}/${path}`);
    await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  }
  await page.goto(`${base}/integrity/streams/${stream}`);
  for (const tab of ["Attempts", "Set aside 2", "Backfills"])
    await page.getByRole("tab", { name: tab }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("actor");
  await page.goto(`${base}/integrity`);
  await page
    .getByRole("button", { name: /^Verify/ })
    .first()
    .click();
  await page.goto(`${base}/settings`);
  await page.getByLabel("Reason for a hold").fill("a case");
  await page.getByRole("button", { name: "Place hold" }).click();
  await expect(page.getByText("a case")).toBeVisible();
  await page.goto(`${base}/settings/keys`);
  await page.waitForLoadState("networkidle");
  // Pages prefetch the same places again and again.
  const distinct = new Map((await Promise.all(pending)).map((one) => [JSON.stringify(one), one]));
  return [...distinct.values()];
}

const say = (request: APIRequestContext, { method, path, headers, body }: Recorded) =>
  request.fetch(path, { method, headers, maxRedirects: 0, ...(body ? { data: body } : {}) });

test("what one tenant's browser asked for gives another tenant nothing of the first, and changes nothing", async ({
  page,
  playwright,
  server,
}) => {
  const [mine, theirs] = await Promise.all([
    createTenant(playwright, server, `MineCanary${Date.now()}`),
    createTenant(playwright, server, `TheirsCanary${Date.now()}`),
  ]);
  const { cookies } = await theirs.owner.storageState();
  await page.context().addCookies(cookies);
  const recorded = await walk(page, theirs);
  await page.close();
  const actions = recorded.filter(({ headers }) => headers["next-action"] !== undefined);
  expect(actions.length).toBeGreaterThan(5);
  expect(recorded.length - actions.length).toBeGreaterThan(20);

  // The tail has no end to wait for: polled it has, and tells the same.
  const finite = recorded.map((one) =>
    one.path.includes("/events/tail?") ? { ...one, path: `${one.path}&poll=1` } : one,
  );
  const toMine = (text: string) => text.replaceAll(theirs.organization, mine.organization);
  const swapped = finite.map((one) => ({
    ...one,
    path: toMine(one.path),
    headers: Object.fromEntries(
      Object.entries(one.headers).map(([name, value]) => [name, toMine(value)]),
    ),
    body: one.body && Buffer.from(toMine(one.body.toString())),
  }));

  let told = 0;
  await forEach(finite, async (one) => {
    if (one.method !== "GET") return;
    if ((await (await say(theirs.owner, one)).text()).includes(theirs.canary)) told += 1;
  });
  expect(told, "the first tenant's own answers").toBeGreaterThan(10);

  await expect
    .poll(async () => {
      const digest = await digestOf(server, theirs.organization);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (await digestOf(server, theirs.organization)).jobs === digest.jobs;
    })
    .toBe(true);
  const before = await digestOf(server, theirs.organization);
  await forEach([...finite, ...swapped], async (one) => {
    const response = await say(mine.owner, one);
    const text = await response.text();
    const what = `${one.method} ${one.path} ${one.headers["next-action"] ?? ""}`;
    expect(response.status(), what).toBeLessThan(500);
    expect(text.includes(theirs.canary), what).toBe(false);
  });
  expect(await digestOf(server, theirs.organization)).toEqual(before);
});
