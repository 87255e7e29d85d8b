import { fileURLToPath } from "node:url";
import { defineConfig } from "prisma/config";

// Prisma's CLI otherwise downloads a native engine, even for `generate`; any executable stops that.
// Migrations are applied by lib/db/server/migrate.ts, so the engine itself is never run.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= fileURLToPath(
  new URL("./scripts/no-engine.mjs", import.meta.url),
);
process.env.CHECKPOINT_DISABLE ??= "1";

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
