import { expect, type Page, test } from "@playwright/test";
import pg from "pg";
import { signIn } from "../fixtures";
import { runSql } from "../fixtures/log";
import { ADMIN } from "../global-setup";
import { TestServer } from "../server";

// A server of its own: the damage needs triggers and indexes out of the way.

interface Verdict {
  ok: boolean;
  checked: number;
  first_bad_seq: number | null;
  kind: string | null;
}

/** ORG is the log's condition, K the number of an event that has a target. */
interface Damage {
  name: string;
  sql: string[];
  kind: string;
  words: string;
  /** SQL for the first bad number, where that is not K. */
  firstBad?: string;
}

const SAME_HOUR = `date_trunc('hour', occurred_at, 'UTC') =
  (SELECT date_trunc('hour', occurred_at, 'UTC') FROM events WHERE ORG AND seq = K)`;
const MISMATCH = "what filters, timelines or counts show differs from the sealed events";

const DAMAGES: Damage[] = [
  {
    name: "an edited event",
    sql: ["UPDATE events SET action = 'user.did_nothing' WHERE ORG AND seq = K"],
    kind: "edited_content",
    words: "the stored event no longer matches its hash",
  },
  {
    name: "a deleted event",
    sql: ["DELETE FROM events WHERE ORG AND seq = K"],
    kind: "deleted_row",
    words: "events are missing here",
  },
  {
    name: "an inserted event",
    sql: [
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets,
         context, metadata, salts, chain_hash, ip)
       SELECT organization_id, seq, recorded_at + interval '1 ms', occurred_at, version, 'audit_event_forged',
         action, actor, targets, context, metadata, salts, sha256('x'), ip
       FROM events WHERE ORG AND seq = K`,
    ],
    kind: "inserted_row",
    words: "an event stands here that was never sealed",
  },
  {
    name: "two events in each other's place",
    sql: [
      "UPDATE events SET seq = -1 WHERE ORG AND seq = K",
      "UPDATE events SET seq = K WHERE ORG AND seq = K + 1",
      "UPDATE events SET seq = K + 1 WHERE ORG AND seq = -1",
    ],
    kind: "reordered",
    words: "events stand in another order than they were sealed",
  },
  {
    name: "a re-written hash",
    sql: ["UPDATE events SET chain_hash = sha256('x') WHERE ORG AND seq = K"],
    kind: "edited_hash",
    words: "the stored hash was changed; the event itself still matches",
  },
  {
    name: "a row gone from the targets' timeline",
    sql: ["DELETE FROM event_targets WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
    words: MISMATCH,
  },
  {
    name: "a changed count",
    sql: [
      `UPDATE rollup_hourly SET events = events + 1
       WHERE ORG AND hour = (SELECT date_trunc('hour', occurred_at, 'UTC') FROM events WHERE ORG AND seq = K)`,
    ],
    kind: "projection_mismatch",
    words: MISMATCH,
    firstBad: `SELECT min(seq)::int AS seq FROM events WHERE ORG AND ${SAME_HOUR}`,
  },
];

let server: TestServer;
/** A log for every damage, and one that stays whole. */
let logs: string[];

test.beforeAll(async () => {
  server = new TestServer({
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  await server.start();
  const count = DAMAGES.length + 1;
  const seeded = await server.cliJson<{ organizations: string[] }>(
    ...["seed", "--organizations", String(count), "--events", "4000"],
  );
  logs = seeded.organizations;
  const isCounted = `SELECT bool_and(f.next_seq = h.next_seq) AND count(*) = ${count} AS done
    FROM followers f JOIN log_heads h USING (organization_id)
    WHERE f.name = 'rollups' AND organization_id = ANY($1)`;
  await expect
    .poll(async () => (await runSql<{ done: boolean }>(server, [isCounted, [logs]]))[0]?.done, {
      message: "counts up to the head",
      timeout: 30_000,
    })
    .toBe(true);
  const indexes = await runSql<{ indexname: string }>(
    server,
    "SELECT indexname FROM pg_indexes WHERE indexname ~ '^events_\\d{4}_\\d{2}_seq$'",
  );
  await runSql(
    server,
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "ALTER TABLE event_targets DISABLE TRIGGER ALL",
    ...indexes.map(({ indexname }) => `DROP INDEX ${indexname}`),
  );
});
test.afterAll(() => server.remove());
test.beforeEach(({ page }) => signIn(page, server.url));

async function verifyByCli(log: string): Promise<{ code: number; verdict: Verdict }> {
  const { code, stdout } = await server.cli("verify", "--org", log, "--json");
  return { code, verdict: JSON.parse(stdout) as Verdict };
}

async function countEvents(log: string): Promise<number> {
  const sql = "SELECT count(*)::int AS count FROM events WHERE organization_id = $1";
  const [row] = await runSql<{ count: number }>(server, [sql, [log]]);
  return row?.count ?? 0;
}

const openIntegrity = (page: Page, log: string) => page.goto(`${server.url}/o/${log}/integrity`);
const verdictOf = (page: Page) => page.getByTestId("verdict");
const runsOf = (page: Page) =>
  page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: "Runs" }) })
    .getByRole("row");

test("an empty log is never verified", async ({ page }) => {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Empty");
  await openIntegrity(page, id);
  await expect(verdictOf(page)).toHaveText("Not yet checked");
  // From the page it would not be empty: the log tells who started it.
  const { code, verdict } = await verifyByCli(id);
  await page.reload();
  await expect(verdictOf(page)).toHaveText("Nothing to check yet");
  await expect(runsOf(page).nth(1)).toContainText("Nothing checked");
  await expect(page.getByText("Verified", { exact: false })).toHaveCount(0);
  expect(code).toBe(1);
  expect(verdict).toMatchObject({ ok: false, checked: 0, kind: "nothing_checked" });
});

test("a whole log is verified to its last event, a run can be cancelled, and all runs are kept", async ({
  page,
}) => {
  const log = logs.at(-1) as string;
  const count = await countEvents(log);
  const words = (events: number) => events.toLocaleString("en-US");
  await openIntegrity(page, log);
  await expect(page.getByText(`${words(count)} events wait for their first check.`)).toBeVisible();
  await page.getByRole("button", { name: "Verify" }).click();
  // The log tells of each start and of what was cancelled.
  await expect(verdictOf(page)).toHaveText(`Verified to #${count}`);
  await expect(page.getByText(`${words(count + 1)} events recomputed`)).toBeVisible();
  await expect(runsOf(page).nth(1)).toContainText("✓ Verified");
  await expect(runsOf(page).nth(1)).toContainText(ADMIN.email);
  const { code, verdict } = await verifyByCli(log);
  expect(code).toBe(0);
  expect(verdict).toMatchObject({ ok: true, checked: count + 1, kind: null, first_bad_seq: null });

  // Verification cannot get past this lock, what tells of its start can: it is under way for as long as the test wants.
  const holder = new pg.Client({ connectionString: server.ownerUrl() });
  await holder.connect();
  try {
    await holder.query("BEGIN; LOCK TABLE tiles IN ACCESS EXCLUSIVE MODE");
    await page.getByRole("button", { name: "Verify again" }).click();
    await expect(verdictOf(page)).toHaveText("Verifying");
    const whole = page.getByText(`of ${words(count + 2)} events`);
    await expect(whole.or(page.getByText("0 of 0"))).toBeVisible();
    await page.reload();
    await expect(verdictOf(page)).toHaveText("Verifying");
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(verdictOf(page)).toHaveText("The last verification was cancelled");
  } finally {
    await holder.end();
  }
  // The head, the cancelled run, the command line's and the first one.
  await expect(runsOf(page)).toHaveCount(4);
  await expect(runsOf(page).nth(1)).toContainText("Cancelled");
  await expect(runsOf(page).nth(2)).toContainText("✓ Verified");
  await expect(runsOf(page).nth(3)).toContainText("✓ Verified");
  await page.getByRole("button", { name: "Verify again" }).click();
  await expect(verdictOf(page)).toHaveText(`Verified to #${count + 3}`);
  await expect(runsOf(page)).toHaveCount(5);
});

test("the signed log is downloaded with its checkpoints and holds without the server", async ({
  page,
}) => {
  const log = logs.at(-1) as string;
  const count = await countEvents(log);
  await openIntegrity(page, log);
  const checkpoints = page.getByRole("region", { name: "Checkpoints" }).getByRole("row");
  await expect(async () => {
    await page.reload();
    await expect(checkpoints.nth(1)).toContainText(count.toLocaleString("en-US"));
    await expect(page.getByTestId("watched")).toContainText(`#${count - 1} were verified`);
  }).toPass();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download the log" }).click(),
  ]);
  const { stdout: vkey } = await server.cli("vkey", "--org", log);
  await expect(page.getByText(vkey.trim(), { exact: true })).toBeVisible();
  const bundle = await file.path();
  const check = await server.cli("verify", "--bundle", bundle, "--vkey", vkey.trim(), "--json");
  expect(check.code).toBe(0);
  // The event of the download is in it, signed by then or not.
  const { ok, checked, signed_to: signedTo } = JSON.parse(check.stdout);
  expect({ ok, checked }).toEqual({ ok: true, checked: count + 1 });
  expect([count, count + 1]).toContain(signedTo);
});

test("events that are changed after the last look are told on every page", async ({ page }) => {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Watched");
  await server.cli("seed", "--org", id, "--events", "300");
  const watched = "SELECT checked_to::int AS n FROM log_watches WHERE organization_id = $1";
  const checkedTo = async () => (await runSql<{ n: number }>(server, [watched, [id]]))[0]?.n;
  await expect.poll(checkedTo, { timeout: 30_000 }).toBe(300);
  await page.goto(`${server.url}/o/${id}/events`);
  await expect(page.getByTestId("row-count")).toBeVisible();
  await expect(page.getByTestId("break-alarm")).toHaveCount(0);
  await runSql(
    server,
    [`UPDATE log_heads SET next_seq = 290 WHERE organization_id = $1`, [id]],
    [`DELETE FROM events WHERE organization_id = $1 AND seq >= 290`, [id]],
  );
  await expect.poll(checkedTo, { timeout: 30_000 }).toBe(290);
  await page.reload();
  await expect(page.getByTestId("break-alarm")).toContainText(
    "This log does not verify at #290: the newest events are missing.",
  );
  await page.getByRole("link", { name: "What happened" }).click();
  await expect(verdictOf(page)).toBeVisible();
});

test("the strip is walked and zoomed by keys, and is a table as well", async ({ page }) => {
  const log = logs.at(-1) as string;
  const count = await countEvents(log);
  await verifyByCli(log);
  await openIntegrity(page, log);
  const strip = page.getByTestId("chain-strip");
  await strip.focus();
  await page.keyboard.press("Home");
  await expect(strip).toHaveAttribute("aria-valuetext", /^#0.*: verified/);
  await page.keyboard.press("ArrowRight");
  await expect(strip).toHaveAttribute("aria-valuenow", "1");
  await page.keyboard.press("+");
  await page.waitForURL(/from=0&to=\d+$/);
  await expect(strip).toBeFocused();
  for (const key of ["End", "ArrowRight"]) await page.keyboard.press(key);
  await page.waitForURL(/from=[1-9]\d*&to=\d+$/);
  await page.keyboard.press("Escape");
  await page.waitForURL(/integrity$/);
  await page.getByText("As a table").click();
  await expect(
    page.getByRole("row", { name: `#0 #${(count - 1).toLocaleString("en-US")}` }),
  ).toContainText("Verified");
});

test("a restore of an older backup is told at the start, on every page, with what to do", async ({
  page,
}) => {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Restored");
  await server.cli("seed", "--org", id, "--events", "300");
  const sizes = "SELECT max(tree_size)::int AS n FROM checkpoints WHERE organization_id = $1";
  const signed = async () => (await runSql<{ n: number }>(server, [sizes, [id]]))[0]?.n;
  await expect.poll(signed, { timeout: 30_000 }).toBe(300);
  const back = [
    "DELETE FROM events WHERE organization_id = $1 AND seq >= 290",
    "DELETE FROM event_targets WHERE organization_id = $1 AND seq >= 290",
    "DELETE FROM checkpoints WHERE organization_id = $1",
    "DELETE FROM followers WHERE organization_id = $1",
    "DELETE FROM tiles WHERE organization_id = $1",
    `UPDATE log_heads h SET next_seq = 290, head_hash = e.chain_hash, last_recorded_at = e.recorded_at
     FROM events e WHERE h.organization_id = $1 AND e.organization_id = $1 AND e.seq = 289`,
    "UPDATE log_watches SET checked_to = 290, finding = NULL WHERE organization_id = $1",
  ];
  await runSql(server, ...back.map((sql): [string, string[]] => [sql, [id]]));
  await server.stop();
  await server.start();
  const begin = `trailseal epoch begin --org ${id}`;
  await expect.poll(() => server.output.includes(begin), { timeout: 30_000 }).toBe(true);
  await openIntegrity(page, id);
  const missing = "300 events were signed, the database has 290: #290 to #299 are missing.";
  await expect(page.getByTestId("break-alarm")).toContainText(missing);
  await expect(page.getByTestId("refusal")).toContainText(missing);
  await expect(page.getByTestId("refusal")).toContainText(begin);
});

for (const [index, damage] of DAMAGES.entries()) {
  test(`${damage.name} is found by page and command line alike`, async ({ page }) => {
    const log = logs[index] as string;
    const [place] = await runSql<{ seq: number }>(server, [
      "SELECT min(seq)::int AS seq FROM event_targets WHERE organization_id = $1 AND seq >= 50",
      [log],
    ]);
    const words: Record<string, string> = { ORG: `organization_id = '${log}'`, K: `${place?.seq}` };
    const inWords = (sql: string) => sql.replace(/\b(ORG|K)\b/g, (word) => words[word] as string);
    const firstBad = damage.firstBad
      ? (await runSql<{ seq: number }>(server, inWords(damage.firstBad)))[0]?.seq
      : place?.seq;

    await openIntegrity(page, log);
    await page.getByRole("button", { name: "Verify" }).click();
    await expect(verdictOf(page)).toHaveText(/^Verified to #/);
    await runSql(server, ...damage.sql.map(inWords));
    await page.getByRole("button", { name: "Verify again" }).click();
    await expect(verdictOf(page)).toHaveText(`Broken at #${firstBad}: ${damage.words}`);
    const result = `✕ ${damage.kind.replaceAll("_", " ")} at #${firstBad}`;
    await expect(runsOf(page).nth(1)).toContainText(result);
    await expect(runsOf(page).nth(2)).toContainText("✓ Verified");

    const { code, verdict } = await verifyByCli(log);
    expect(code).toBe(1);
    expect(verdict).toMatchObject({ ok: false, kind: damage.kind, first_bad_seq: firstBad });
  });
}
