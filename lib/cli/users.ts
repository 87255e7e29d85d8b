import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { roles } from "@/lib/auth/roles";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { createUser, newUserSchema } from "@/lib/auth/server/users";
import { parseInput } from "@/lib/http/parse-input";
import { print } from "./output";

interface Options {
  email: string;
  name?: string;
  admin?: boolean;
  org?: string;
  role?: string;
  passwordStdin?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  const users = program.command("users").description("People who sign in to the dashboard.");

  users
    .command("create")
    .description("Create a user. Without --password-stdin a password is made and printed once.")
    .requiredOption("--email <email>", "signs in with it")
    .option("--name <name>", "shown in the dashboard; the e-mail when absent")
    .option("--admin", "administrator of the instance: reaches every organization")
    .option("--org <id>", "member of this organization")
    .option("--role <role>", `what they may do there: ${roles.join(", ")}`, "admin")
    .option("--password-stdin", "read the password from standard input")
    .option("--json", "print JSON")
    .action(async (options: Options, command: Command) => {
      if (Boolean(options.admin) === Boolean(options.org))
        command.error("error: give either --admin or --org");
      const password = options.passwordStdin ? (await text(process.stdin)).trim() : null;
      const generated = password ?? randomBytes(18).toString("base64url");
      const user = parseInput(newUserSchema, {
        email: options.email,
        name: options.name ?? options.email,
        password: generated,
        instanceAdmin: options.admin ?? false,
        organizationId: options.org ?? null,
        role: options.role,
      });
      const made = await createUser(systemInstanceScope("cli"), user);
      const shown = password === null ? { password: generated } : {};
      print(
        options.json,
        { ...made, ...shown },
        password === null ? `Created ${made.id}\nPassword: ${generated}` : `Created ${made.id}`,
      );
    });
}
