import path from "node:path";
import { defineConfig } from "vitest/config";

const alias = { "@": path.resolve(import.meta.dirname) };

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        // Against real receivers, which `npm run test:receivers` installs.
        resolve: { alias },
        test: {
          name: "receivers",
          include: ["e2e/receivers/*.receivers.test.ts"],
          globalSetup: ["lib/db/test-database.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["{lib,components,app,bench}/**/*.test.{ts,tsx}"],
          exclude: ["**/*.{db,receivers}.test.ts", "node_modules/**"],
        },
      },
      {
        resolve: { alias },
        test: {
          name: "db",
          include: ["{lib,app}/**/*.db.test.ts"],
          globalSetup: ["lib/db/test-database.ts"],
          // Each file has a database of its own; more than two would outrun the server's share of two cores.
          maxWorkers: 2,
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
