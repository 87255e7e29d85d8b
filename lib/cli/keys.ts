import type { Command } from "commander";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { parseInput } from "@/lib/http/parse-input";
import {
  createApiKey,
  listApiKeys,
  newApiKeySchema,
  revokeApiKey,
} from "@/lib/keys/server/api-keys";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print, printTable, snakeCase } from "./output";

const scopeOf = (org: string | undefined) =>
  org === undefined ? systemInstanceScope("cli") : systemScope("cli", org);

export function register(program: Command): void {
  const keys = program
    .command("keys")
    .description("API keys, with which applications send events.");

  keys
    .command("create")
    .description("Create a key. It is printed once and not kept.")
    .requiredOption("--name <name>", "which application uses it")
    .option("--org <id>", "the only organization it may write to; without it, all of them")
    .option("--json", "print JSON")
    .action(async (options: { name: string; org?: string; json?: boolean }) => {
      const made = await createApiKey(
        scopeOf(options.org),
        parseInput(newApiKeySchema, { name: options.name }),
      );
      print(options.json, { ...made, organization_id: options.org ?? null }, made.key);
    });

  keys
    .command("list")
    .description("List keys.")
    .option("--org <id>", "of one organization")
    .option("--json", "print JSON")
    .action(async (options: { org?: string; json?: boolean }) => {
      if (options.org !== undefined) await getOrganization(systemScope("cli", options.org));
      const list = await listApiKeys(scopeOf(options.org));
      if (options.json) print(true, snakeCase(list), "");
      else {
        printTable(
          list.map((key) => ({
            id: key.id,
            name: key.name,
            ends: `…${key.last4}`,
            organization: key.organizationId ?? "all",
            "last used": key.lastUsedAt ?? "never",
            state: key.revokedAt ? "revoked" : "active",
          })),
        );
      }
    });

  keys
    .command("revoke")
    .description("Stop a key from working, at once.")
    .argument("<id>", "key_…, as `keys list` shows it")
    .option("--json", "print JSON")
    .action(async (id: string, options: { json?: boolean }) => {
      await revokeApiKey(systemInstanceScope("cli"), id);
      print(options.json, { id, revoked: true }, `Revoked ${id}`);
    });
}
