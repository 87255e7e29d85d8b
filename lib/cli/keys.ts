import type { Command } from "commander";
import { keyPermissionNames } from "@/lib/auth/permissions";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { parseInput } from "@/lib/http/parse-input";
import { keyState } from "@/lib/keys/key-state";
import {
  createApiKey,
  listApiKeys,
  newApiKeySchema,
  revokeApiKey,
  rotateApiKey,
  rotationSchema,
} from "@/lib/keys/server/api-keys";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print, printTable, snakeCase } from "./output";

const scopeOf = (org: string | undefined) =>
  org === undefined ? systemInstanceScope("cli") : systemScope("cli", org);

interface CreateOptions {
  name: string;
  org?: string;
  permissions: string;
  json?: boolean;
}

export function register(program: Command): void {
  const keys = program
    .command("keys")
    .description("API keys, with which applications send events.");

  keys
    .command("create")
    .description("Create a key. It is printed once and not kept.")
    .requiredOption("--name <name>", "which application uses it")
    .option("--org <id>", "the only organization it works for; without it, all of them")
    .option("--permissions <list>", keyPermissionNames.join(","), "events:write")
    .option("--json", "print JSON")
    .action(async (options: CreateOptions) => {
      const { name } = options;
      const permissions = options.permissions.split(",");
      const made = await createApiKey(
        scopeOf(options.org),
        parseInput(newApiKeySchema, { name, permissions }),
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
            permissions: key.permissions.join(","),
            "last used": key.lastUsedAt ?? "never",
            "events, 24 h": String(key.eventsLastDay),
            "used by": key.clients.map(({ client }) => client.split(" ", 1)[0]).join(","),
            state: keyState(key),
          })),
        );
      }
    });

  keys
    .command("rotate")
    .description("Make a key in place of another, which goes on working for a while. Printed once.")
    .argument("<id>", "key_…, as `keys list` shows it")
    .option("--overlap <hours>", "how long the old key still works", "24")
    .option("--json", "print JSON")
    .action(async (id: string, options: { overlap: string; json?: boolean }) => {
      const rotation = parseInput(rotationSchema, { id, overlapHours: options.overlap });
      const made = await rotateApiKey(systemInstanceScope("cli"), rotation);
      print(options.json, snakeCase(made) as object, made.key);
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
