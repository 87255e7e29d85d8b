import type { Command } from "commander";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { parseInput } from "@/lib/http/parse-input";
import { newOrganizationSchema } from "@/lib/orgs/schema";
import { createOrganization, listOrganizations } from "@/lib/orgs/server/organizations";
import { print, printTable, snakeCase } from "./output";

export function register(program: Command): void {
  const orgs = program.command("orgs").description("Organizations, each with a log of its own.");

  orgs
    .command("create")
    .description("Create an organization with an empty log.")
    .requiredOption("--name <name>", "what people call it")
    .option("--id <id>", "keep an id from another system: org_ and 26 upper-case letters or digits")
    .option("--json", "print JSON")
    .action(async (options: { name: string; id?: string; json?: boolean }) => {
      const { name, id } = options;
      const made = await createOrganization(
        systemInstanceScope("cli"),
        parseInput(newOrganizationSchema, { name, id }),
      );
      print(options.json, made, `Created ${made.id}`);
    });

  orgs
    .command("list")
    .description("List the organizations.")
    .option("--json", "print JSON")
    .action(async (options: { json?: boolean }) => {
      const organizations = await listOrganizations(systemInstanceScope("cli"));
      if (options.json) print(true, snakeCase(organizations), "");
      else
        printTable(
          organizations.map(({ id, name, createdAt }) => ({ id, name, created: createdAt })),
        );
    });
}
