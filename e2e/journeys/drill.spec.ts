import { expect, test } from "../fixtures";
import { expectAccessibleNow } from "../fixtures/accessible";

test("somebody asks for a tamper drill and sees every case with its verdicts", async ({
  signedIn: page,
  organization,
}) => {
  test.setTimeout(300_000);
  await page.goto(`/o/${organization.id}/integrity`);
  await page.getByRole("link", { name: "Tamper drill" }).click();
  const verdict = page.getByTestId("drill-verdict");
  await expect(verdict).toHaveText("No drill has been run yet");
  await page.getByRole("button", { name: "Run a drill" }).click();
  await expect(verdict).toHaveText("A drill is under way");
  await expect(page.getByRole("button", { name: "Run a drill" })).toBeDisabled();
  await expect(verdict).toHaveText("All 61 verdicts were right", { timeout: 240_000 });
  await expect(page.getByRole("row")).toHaveCount(62);
  await expect(page.getByRole("row", { name: /^T18 / })).toContainText("history rewritten");
  await expectAccessibleNow(page);
});
