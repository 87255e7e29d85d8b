import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { AppError } from "@/lib/errors";
import { parseInput } from "@/lib/http/parse-input";
import { type Mapping, mappingSchema } from "@/lib/import/mapping";
import {
  deleteMapping,
  getMapping,
  listMappings,
  mappingNameSchema,
  saveMapping,
} from "@/lib/import/server/mappings";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { print, printTable } from "./output";

function readMapping(file: string): Mapping {
  try {
    return parseInput(mappingSchema, JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new AppError("invalid_request", `${file} is no mapping: ${(error as Error).message}`);
  }
}

/** @param given a file, or the name of a saved mapping when there is no such file */
export function findMapping(scope: Scope, given: string): Mapping | Promise<Mapping> {
  return existsSync(given) ? readMapping(given) : getMapping(scope, given);
}

async function scopeOf({ org }: { org: string }): Promise<Scope> {
  const scope = systemScope("cli", org);
  await getOrganization(scope);
  return scope;
}

export function register(program: Command): void {
  const mappings = program
    .command("mappings")
    .description("How columns of other systems' CSV become events, kept by name for imports.");

  mappings
    .command("list")
    .description("List an organization's mappings; with --json, as documents.")
    .requiredOption("--org <id>", "the organization")
    .option("--json", "print JSON")
    .action(async (options: { org: string; json?: boolean }) => {
      const list = await listMappings(await scopeOf(options));
      // A mapping's own keys are its users' words: nothing renames them.
      if (options.json) {
        const documents = list.map(({ updatedAt, ...rest }) => ({
          ...rest,
          updated_at: updatedAt,
        }));
        return print(true, documents, "");
      }
      printTable(
        list.map(({ name, mapping, updatedAt }) => ({
          name,
          source: mapping.source,
          updated: updatedAt,
        })),
      );
    });

  mappings
    .command("save")
    .description("Keep a mapping under a name, in place of what was there.")
    .argument("<name>")
    .argument("<file>", "the mapping as JSON; trailseal import proposes one")
    .requiredOption("--org <id>", "the organization")
    .action(async (name: string, file: string, options: { org: string }) => {
      const scope = await scopeOf(options);
      await saveMapping(scope, parseInput(mappingNameSchema, name), readMapping(file));
      print(false, null, `Saved ${name}`);
    });

  mappings
    .command("delete")
    .description("Forget a mapping. Events that it made stay.")
    .argument("<name>")
    .requiredOption("--org <id>", "the organization")
    .action(async (name: string, options: { org: string }) => {
      await deleteMapping(await scopeOf(options), name);
      print(false, null, `Deleted ${name}`);
    });
}
