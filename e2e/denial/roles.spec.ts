import type { Page } from "@playwright/test";
import { placeHref, placesFor } from "../../components/shell/places";
import { ROLE_PERMISSIONS, type Role, roles } from "../../lib/auth/roles";
import { expect, test } from "../fixtures";
import { expectAccessible, looksInTurn } from "../fixtures/accessible";
import { runSql } from "../fixtures/log";
import { newPortalLink } from "../fixtures/portal";
import type { TestServer } from "../server";
import { forEach } from "./places";
import { createTenant, type Tenant } from "./tenant";
import { createMember, signInByRequest } from "./visitor";

let tenant: Tenant;

test.beforeAll(async ({ playwright, server }) => {
  tenant = await createTenant(playwright, server, `Canary${Date.now()}`);
  // It has an alarm on every page, which leads somewhere.
  await runSql(server, [
    "UPDATE stream_state SET state = 'disabled' WHERE organization_id = $1 AND lane = 'live'",
    [tenant.organization],
  ]);
});

/** Goes everywhere that an organization's pages offer; gives what went wrong on the way. */
async function walk(
  page: Page,
  organizationId: string,
  role: Role,
  more: string[],
  look?: (path: string) => Promise<void>,
) {
  const wrong = new Set<string>();
  page.on("console", (said) => {
    if (said.type() === "error") wrong.add(`console: ${said.text()}`);
  });
  page.on("response", async (response) => {
    if (response.status() >= 400) wrong.add(`${response.status()} ${response.url()}`);
    if (response.request().method() !== "POST") return;
    const text = await response.text().catch(() => "");
    if (text.includes('"ok":false')) wrong.add(`refused: ${response.url()} ${text}`);
  });
  const links = new Set(["/"]);
  const places = placesFor([...ROLE_PERMISSIONS[role]]).map((place) =>
    placeHref(organizationId, place),
  );
  for (const path of ["/o", ...places, ...more]) {
    await page.goto(path);
    await page.waitForLoadState("networkidle");
    if (look) await look(path);
    const shown = await page
      .locator("a[href^='/']")
      .evaluateAll((all) => all.map((link) => link.getAttribute("href") as string));
    for (const href of shown) links.add(href);
  }
  const overview = page.getByRole("option", { name: "Go to Overview" });
  await expect(async () => {
    if (!(await overview.isVisible())) await page.keyboard.press("Control+k");
    await expect(overview).toBeVisible({ timeout: 3_000 });
  }).toPass();
  await page.waitForLoadState("networkidle");
  await forEach([...links], async (href) => {
    const response = await page.request.get(href);
    const isNone = (await response.text()).includes("NEXT_HTTP_ERROR_FALLBACK;404");
    if (response.status() >= 400 || isNone) wrong.add(`a link to nothing: ${href}`);
  });
  return { wrong: [...wrong], links: links.size };
}

async function comeAs(page: Page, server: TestServer, organizationId: string, role: Role) {
  await page.goto("/sign-in");
  await signInByRequest(page.request, await createMember(server, organizationId, role));
}

// What an owner sees, a11y.spec.ts looks at.
for (const role of roles.filter((some) => some !== "owner" || process.env.TRAILSEAL_LONG)) {
  test(`role ${role}: everything that is shown can be opened and read in both themes, and nothing on the way is refused`, async ({
    page,
    server,
  }) => {
    test.slow();
    const { organization, event, actor, stream } = tenant;
    await comeAs(page, server, organization, role);
    const may = ROLE_PERMISSIONS[role];
    const base = `/o/${organization}`;
    const more = [
      ...(may.has("events:read")
        ? [`${base}/events?event=${event}`, `${base}/timeline?actor=user:${actor}`]
        : []),
      ...(may.has("streams:manage") ? [`${base}/integrity/streams/${stream}`] : []),
    ];
    let turn = 0;
    const { wrong, links } = await walk(page, organization, role, more, (path) =>
      expectAccessible(page, `${role} ${path}`, looksInTurn(turn++)),
    );
    expect(wrong).toEqual([]);
    expect(links).toBeGreaterThan(8);
  });
}

for (const intent of ["audit_logs", "log_streams", undefined]) {
  test(`a portal visitor for ${intent ?? "both"}: what is shown can be opened and read in both themes`, async ({
    page,
    server,
  }) => {
    await page.goto(server.url + (await newPortalLink(server, tenant.organization, intent)));
    const base = `/o/${tenant.organization}`;
    const more = {
      audit_logs: [`/events?event=${tenant.event}`, `/timeline?actor=user:${tenant.actor}`],
      log_streams: ["/integrity/streams/new", `/integrity/streams/${tenant.stream}`],
    };
    const paths = intent ? more[intent as keyof typeof more].map((path) => base + path) : [];
    for (const path of [page.url(), ...paths]) {
      expect((await page.goto(path))?.status(), path).toBe(200);
      await page.waitForLoadState("networkidle");
      await expectAccessible(page, `portal ${intent} ${path}`);
    }
  });
}

test("where the log is empty, nobody is led to what they may not open", async ({
  page,
  server,
  organization,
}) => {
  for (const role of ["auditor", "stream_manager", "viewer"] as const) {
    await page.context().clearCookies();
    await comeAs(page, server, organization.id, role);
    page.removeAllListeners();
    expect((await walk(page, organization.id, role, [])).wrong, role).toEqual([]);
  }
});

test("who may see where an event went, and not manage streams, is led to no stream's page", async ({
  page,
  server,
}) => {
  await comeAs(page, server, tenant.organization, "auditor");
  await page.goto(`/o/${tenant.organization}/events?event=${tenant.event}`);
  await page.getByRole("tab", { name: "Deliveries" }).click();
  await expect(page.getByTestId("deliveries").getByRole("listitem")).toHaveCount(1);
  await expect(page.getByTestId("deliveries").getByRole("link")).toHaveCount(0);
});
