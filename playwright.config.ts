import { defineConfig, devices } from "@playwright/test";

const executablePath = process.env.TRAILSEAL_CHROMIUM || undefined;

export default defineConfig({
  testDir: "e2e",
  testIgnore: process.env.TRAILSEAL_TOOL ? [] : "**/tools/**",
  globalSetup: "./e2e/global-setup.ts",
  outputDir: "test-results",
  workers: 2,
  retries: 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    actionTimeout: 20_000,
    ...devices["Desktop Chrome"],
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
