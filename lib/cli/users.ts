import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { roles } from "@/lib/auth/roles";
import {
  deactivateUser,
  listUsers,
  reactivateUser,
  resetPassword,
  resetSecondFactor,
  setAdministrator,
  type UserChange,
} from "@/lib/auth/server/operate-users";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { createUser, newUserSchema } from "@/lib/auth/server/users";
import { parseInput } from "@/lib/http/parse-input";
import { print, printTable, snakeCase } from "./output";

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
      const { password, shown } = await choosePassword(options);
      const user = parseInput(newUserSchema, {
        email: options.email,
        name: options.name ?? options.email,
        password,
        instanceAdmin: options.admin ?? false,
        organizationId: options.org ?? null,
        role: options.role,
      });
      const made = await createUser(systemInstanceScope("cli"), user);
      print(
        options.json,
        { ...made, ...shown },
        [`Created ${made.id}`, ...passwordLine(shown)].join("\n"),
      );
    });

  registerChanges(users);
}

/** @returns what to print of it: only one that was made here. */
async function choosePassword({
  passwordStdin,
}: {
  passwordStdin?: boolean;
}): Promise<{ password: string; shown: { password?: string } }> {
  if (passwordStdin) return { password: (await text(process.stdin)).trim(), shown: {} };
  const password = randomBytes(18).toString("base64url");
  return { password, shown: { password } };
}

const passwordLine = ({ password }: { password?: string }) =>
  password === undefined ? [] : [`Password: ${password}`];

/** Commands that find one user and do one thing. */
const CHANGES: {
  name: string;
  description: string;
  run(scope: ReturnType<typeof systemInstanceScope>, who: string): Promise<UserChange>;
  words(change: UserChange): string;
}[] = [
  {
    name: "deactivate",
    description:
      "Let somebody sign in no more, and end their sessions. What they did keeps their name.",
    run: deactivateUser,
    words: ({ email, sessionsEnded }) =>
      `${email} signs in no more. Sessions ended: ${sessionsEnded}.`,
  },
  {
    name: "reactivate",
    description: "Let somebody sign in again.",
    run: reactivateUser,
    words: ({ email }) => `${email} can sign in.`,
  },
  {
    name: "reset-second-factor",
    description: "Turn off the second factor of somebody who lost it, recovery codes and all.",
    run: resetSecondFactor,
    words: ({ email }) => `${email} signs in with the password alone.`,
  },
  {
    name: "promote",
    description: "Make somebody an administrator of the instance, who reaches every organization.",
    run: (scope, who) => setAdministrator(scope, who, true),
    words: ({ email }) => `${email} is an administrator of the instance.`,
  },
  {
    name: "demote",
    description:
      "Leave an administrator of the instance the organizations that they are a member of.",
    run: (scope, who) => setAdministrator(scope, who, false),
    words: ({ email }) => `${email} is no administrator of the instance.`,
  },
];

function registerChanges(users: Command): void {
  users
    .command("list")
    .description("List who signs in.")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const listed = await listUsers(systemInstanceScope("cli"));
      if (json) print(true, snakeCase(listed), "");
      else
        printTable(
          listed.map((user) => ({
            id: user.id,
            email: user.email,
            name: user.name,
            is: user.deactivatedAt ? "deactivated" : user.instanceAdmin ? "administrator" : "",
            organizations: String(user.organizations),
            "second factor": user.hasSecondFactor ? "on" : "off",
            "last seen": user.lastSeenAt ?? "",
          })),
        );
    });

  for (const { name, description, run, words } of CHANGES) {
    users
      .command(name)
      .description(description)
      .argument("<user>", "e-mail or id")
      .option("--json", "print JSON")
      .action(async (who: string, { json }: { json?: boolean }) => {
        const change = await run(systemInstanceScope("cli"), who);
        print(json, snakeCase(change), words(change));
      });
  }

  users
    .command("reset-password")
    .description(
      "Give somebody another password, and end their sessions. Without --password-stdin it is made and printed once.",
    )
    .argument("<user>", "e-mail or id")
    .option("--password-stdin", "read the password from standard input")
    .option("--json", "print JSON")
    .action(async (who: string, options: { passwordStdin?: boolean; json?: boolean }) => {
      const { password, shown } = await choosePassword(options);
      parseInput(newUserSchema.pick({ password: true }), { password });
      const change = await resetPassword(systemInstanceScope("cli"), who, password);
      const words = `${change.email} has another password. Sessions ended: ${change.sessionsEnded}.`;
      print(
        options.json,
        snakeCase({ ...change, ...shown }),
        [words, ...passwordLine(shown)].join("\n"),
      );
    });
}
