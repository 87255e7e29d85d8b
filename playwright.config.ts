import { defineConfig, devices } from "@playwright/test";

const executablePath = process.env.TRAILSEAL_CHROMIUM || undefined;

export default defineConfig({
  testDir: "e2e",
  // Tests of receivers are vitest's.
  testMatch: "**/*.spec.ts",
  testIgnore: process.env.TRAILSEAL_TOOL ? [] : "**/tools/**",
  globalSetup: "./e2e/global-setup.ts",
  outputDir: "test-results",
  workers: 2,
  retries: 1,
  // A busy machine is not the fault that is looked for.
  timeout: 240_000,
  expect: { timeout: 30_000 },
  use: {
    actionTimeout: 30_000,
    ...devices["Desktop Chrome"],
    viewport: { width: 1440, height: 900 },
    trace: "on-first-retry",
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
