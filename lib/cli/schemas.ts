import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { z } from "zod";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { canonicalize } from "@/lib/chain/canonical";
import { AppError } from "@/lib/errors";
import { parseInput } from "@/lib/http/parse-input";
import {
  actionNameSchema,
  type NewActionSchema,
  newActionSchemaSchema,
  toWireSchema,
} from "@/lib/schemas/schema";
import { createActionSchema, listActions } from "@/lib/schemas/server/action-schemas";
import { setUnknownActions } from "@/lib/schemas/server/check-event";
import { print } from "./output";

/** What `pull` writes and `diff` and `apply` read: the newest version of every action. */
const fileSchema = z.object({ actions: z.record(actionNameSchema, newActionSchemaSchema) });

const PAGE = 200;

type Schemas = Record<string, NewActionSchema>;

async function readServer(): Promise<Schemas> {
  const scope = systemInstanceScope("cli");
  const found: Schemas = {};
  let from: string | null = null;
  for (;;) {
    const page = await listActions(scope, { from, direction: "asc", limit: PAGE });
    for (const { name, schema } of page) {
      const { targets, actor, metadata } = toWireSchema(schema);
      found[name] = { targets, ...(actor ? { actor } : {}), ...(metadata ? { metadata } : {}) };
    }
    from = page.at(-1)?.id ?? null;
    if (page.length < PAGE) return found;
  }
}

function readFile(file: string): Schemas {
  try {
    return parseInput(fileSchema, JSON.parse(readFileSync(file, "utf8"))).actions;
  } catch (error) {
    throw new AppError("invalid_request", `${file} cannot be used: ${(error as Error).message}`);
  }
}

/** Members that say nothing, such as `metadata: null`, make no difference. */
const same = (one: object, other: object) => {
  const bare = (value: object) =>
    canonicalize(JSON.parse(JSON.stringify(value, (_, member) => member ?? undefined)));
  return bare(one) === bare(other);
};

function compare(server: Schemas, wanted: Schemas) {
  const names = Object.keys(wanted).sort();
  return {
    added: names.filter((name) => !server[name]),
    changed: names.filter((name) => server[name] && !same(server[name], wanted[name] as object)),
    missing: Object.keys(server)
      .filter((name) => !wanted[name])
      .sort(),
  };
}

function words({ added, changed, missing }: ReturnType<typeof compare>): string {
  const lines = [
    ...added.map((name) => `+ ${name}`),
    ...changed.map((name) => `~ ${name}`),
    ...missing.map((name) => `- ${name} (on the server only)`),
  ];
  return lines.length > 0 ? lines.join("\n") : "No difference.";
}

export function register(program: Command): void {
  const schemas = program
    .command("schemas")
    .description("Schemas that events of an action are held against, kept as a file.");

  schemas
    .command("pull")
    .description("Write the newest version of every action's schema to a file.")
    .argument("<file>")
    .action(async (file: string) => {
      const actions = await readServer();
      writeFileSync(file, `${JSON.stringify({ actions }, null, 2)}\n`);
      print(false, null, `Wrote ${Object.keys(actions).length} actions to ${file}`);
    });

  schemas
    .command("diff")
    .description(
      "Tell what the file has otherwise than the server; exits 1 when there is anything.",
    )
    .argument("<file>")
    .option("--json", "print JSON")
    .action(async (file: string, options: { json?: boolean }) => {
      const difference = compare(await readServer(), readFile(file));
      print(options.json, difference, words(difference));
      if (Object.values(difference).some((names) => names.length > 0)) process.exitCode = 1;
    });

  schemas
    .command("apply")
    .description(
      "Make a new version of every schema that the file has otherwise. None is ever removed.",
    )
    .argument("<file>")
    .option("--json", "print JSON")
    .action(async (file: string, options: { json?: boolean }) => {
      const wanted = readFile(file);
      const { added, changed } = compare(await readServer(), wanted);
      const made = [];
      for (const name of [...added, ...changed]) {
        const schema = wanted[name] as NewActionSchema;
        const { version } = await createActionSchema(systemInstanceScope("cli"), name, schema);
        made.push({ action: name, version });
      }
      const lines = made.map(({ action, version }) => `${action}: version ${version}`);
      print(options.json, { made }, lines.join("\n") || "No difference.");
    });

  schemas
    .command("unknown")
    .description(
      "Whether events of actions without a schema are accepted (the default) or refused.",
    )
    .argument("<choice>", "accept or refuse")
    .action(async (choice: string) => {
      const parsed = parseInput(z.enum(["accept", "refuse"]), choice);
      await setUnknownActions(systemInstanceScope("cli"), parsed);
      print(false, null, `Events of actions without a schema: ${parsed}`);
    });
}
