import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { runSql } from "../fixtures/log";
import type { TestServer } from "../server";

/**
 * Questions of an investigator to real CloudTrail logs of an attack simulation, read in place. An action is a
 * click, a key, or one text typed in one go; nobody gets a seventh.
 */
const folder = path.join(process.env.TRAILSEAL_TEST_DATA ?? "../shared/data", "cloudtrail");
const ATTACKER = "arn:aws:iam::123837392027:user/bert-jan";
const MOST_ACTIONS = 6;

let organization: { id: string };
let actions = 0;

test.skip(!existsSync(folder), `No CloudTrail logs in ${folder}`);

test.beforeAll(async ({ server }) => {
  organization = await server.cliJson("orgs", "create", "--name", "Investigated");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  await server.cliJson(
    "import",
    "--org",
    organization.id,
    "--format",
    "cloudtrail",
    ...files.map((name) => path.resolve(folder, name)),
  );
});

test.beforeEach(async ({ signedIn: page }) => {
  actions = 0;
  await page.goto(`/o/${organization.id}/events`);
  await expect(page.getByTestId("row-count")).toHaveText("100+ events");
  await expect(
    page.getByRole("region", { name: "Actor" }).getByRole("listitem").first(),
  ).toBeVisible();
});

async function act(work: Promise<void>): Promise<void> {
  actions += 1;
  expect(actions, "one action too many").toBeLessThanOrEqual(MOST_ACTIONS);
  await work;
}

/** What is asked for in the filter bar, by keyboard alone: three actions. */
async function ask(page: Page, q: string): Promise<void> {
  await act(page.keyboard.press("/"));
  await act(page.keyboard.type(q));
  await act(page.keyboard.press("Enter"));
  await expect(page).toHaveURL((url) => url.searchParams.get("q") === q);
}

/** Opens a facet of a metadata key, where it is closed, and chooses a value: two clicks. */
async function choose(page: Page, facet: string, value: RegExp): Promise<void> {
  await act(page.getByRole("button", { name: facet, exact: true }).click());
  await act(page.getByRole("region", { name: facet }).getByRole("button", { name: value }).click());
}

/** The ids of the whole list, in its order, pages below included. */
async function listed(page: Page, count: number): Promise<string[]> {
  // More pages may have come in already.
  await expect(page.getByTestId("row-count")).toHaveText(
    count > 100 ? new RegExp(`^(\\d+\\+|${count}) events$`) : `${count} events`,
  );
  const grid = page.getByRole("grid", { name: "Events" });
  const ids = new Map<number, string>();
  await expect(async () => {
    const rows = await grid
      .locator("[data-testid=event-row]")
      .evaluateAll((all) =>
        all.map(
          (row) => [Number(row.getAttribute("aria-rowindex")), row.id.replace("row-", "")] as const,
        ),
      );
    // Newer rows that come in on top move all places: what was seen before counts no more.
    const isMoved = rows.some(([index, id]) => (ids.get(index) ?? id) !== id);
    if (isMoved) ids.clear();
    for (const [index, id] of rows) ids.set(index, id);
    // From the end it begins anew: rows may have been painted later than they were looked for.
    await grid.evaluate((element, fromStart) => {
      const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 1;
      if (fromStart || isAtEnd) element.scrollTo(0, 0);
      else element.scrollBy(0, 400);
    }, isMoved);
    expect(ids.size).toBe(count);
  }).toPass({ intervals: [50], timeout: 30_000 });
  return [...ids].sort(([a], [b]) => a - b).map(([, id]) => id);
}

/** The same question as SQL. */
async function expected(server: TestServer, condition: string): Promise<string[]> {
  const rows = await runSql<{ id: string }>(server, [
    `SELECT id FROM events WHERE organization_id = $1 AND (${condition}) ORDER BY occurred_at DESC, seq DESC`,
    [organization.id],
  ]);
  return rows.map(({ id }) => id);
}

async function answers(page: Page, server: TestServer, condition: string): Promise<void> {
  const wanted = await expected(server, condition);
  expect(wanted.length).toBeGreaterThan(0);
  expect(await listed(page, wanted.length)).toEqual(wanted);
}

const SECRETS = `actor_id = '${ATTACKER}' AND action LIKE 'secretsmanager.%'`;

test("by mouse: everything the attacker did to secrets", async ({ signedIn: page, server }) => {
  await act(
    page
      .getByRole("region", { name: "Actor" })
      .getByRole("button", { name: /^bert-jan, / })
      .click(),
  );
  await choose(page, "metadata.eventSource", /^secretsmanager\.amazonaws\.com, /);
  await answers(page, server, SECRETS);
});

test("by keyboard: who attacked, and everything they did to secrets", async ({
  signedIn: page,
  server,
}) => {
  await ask(page, "agent:stratus-red-team* actor.type:iam_user");
  await expect(page.getByTestId("event-row").first()).toContainText("bert-jan");
  await page.goto(`/o/${organization.id}/events`);
  await expect(
    page.getByRole("region", { name: "Actor" }).getByRole("listitem").first(),
  ).toBeVisible();
  await ask(page, "actor.name:bert-jan action:secretsmanager.*");
  await answers(page, server, SECRETS);
});

test("by mouse: what was denied", async ({ signedIn: page, server }) => {
  await choose(page, "metadata.errorCode", /^AccessDenied, /);
  await answers(page, server, "metadata ->> 'errorCode' = 'AccessDenied'");
});

test("by keyboard: what the second user did without failing", async ({
  signedIn: page,
  server,
}) => {
  await ask(page, "actor.name:benjamin -has:metadata.errorCode");
  await answers(page, server, "actor_name = 'benjamin' AND metadata ->> 'errorCode' IS NULL");
});

test("by mouse: what the attacker did around the newest event", async ({
  signedIn: page,
  server,
}) => {
  await act(
    page
      .getByRole("region", { name: "Actor" })
      .getByRole("button", { name: "Only bert-jan" })
      .click({ force: true }),
  );
  await expect(page).toHaveURL(/q=actor/);
  await act(page.getByTestId("event-row").first().click());
  await act(page.getByRole("link", { name: "same actor" }).click());
  await expect(page).toHaveURL(/from=/);
  const params = new URL(page.url()).searchParams;
  await answers(
    page,
    server,
    `actor_id = '${ATTACKER}' AND occurred_at >= '${params.get("from")}' AND occurred_at < '${params.get("to")}'`,
  );
});

test("by keyboard: which throttled calls were made through one tool", async ({
  signedIn: page,
  server,
}) => {
  await ask(page, "agent:*Terraform* metadata.errorCode:ThrottlingException");
  await answers(
    page,
    server,
    "context ->> 'user_agent' ILIKE '%terraform%' AND metadata ->> 'errorCode' = 'ThrottlingException'",
  );
});
