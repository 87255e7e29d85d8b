import type { Command } from "commander";
import { systemScope } from "@/lib/auth/server/system-scope";
import { parseInput } from "@/lib/http/parse-input";
import { getOrganization } from "@/lib/orgs/server/organizations";
import { domainsSchema } from "@/lib/sso/schema";
import {
  readSingleSignOn,
  requireSingleSignOn,
  setDomains,
  unlinkUser,
} from "@/lib/sso/server/providers";
import { print, printTable, snakeCase } from "./output";

interface Options {
  org: string;
  provider: string;
  json?: boolean;
}

export function register(program: Command): void {
  const sso = program
    .command("sso")
    .description("Single sign-on of organizations, whose owners set it up in the dashboard.");
  const command = (name: string, description: string) =>
    sso
      .command(name)
      .description(description)
      .requiredOption("--org <id>", "the organization")
      .option("--json", "print JSON");

  command("list", "List an organization's identity providers.").action(
    async ({ org, json }: Options) => {
      const scope = systemScope("cli", org);
      await getOrganization(scope);
      const { isRequired, providers } = await readSingleSignOn(scope);
      if (json) return print(true, snakeCase({ isRequired, providers }), "");
      print(false, null, isRequired ? "Required of members" : "Not required of members");
      printTable(
        providers.map((provider) => ({
          id: provider.id,
          name: provider.name,
          is: provider.isEnabled ? "on" : "off",
          issuer: provider.issuer,
          domains: provider.domains.join(" "),
          "first used": provider.provenAt ?? "",
        })),
      );
    },
  );

  command(
    "domains",
    "Say whose e-mail addresses an identity provider speaks for, in place of those before. It opens every account with such an address.",
  )
    .requiredOption("--provider <id>", "the identity provider: see trailseal sso list")
    .argument("[domains...]", "example.com; none: it speaks for nobody")
    .action(async (given: string[], { org, provider, json }: Options) => {
      const { id, domains } = parseInput(domainsSchema, { id: provider, domains: given });
      await setDomains(systemScope("cli", org), id, domains);
      print(json, { id, domains }, `${id} speaks for ${domains.join(", ") || "nobody"}.`);
    });

  command(
    "disable",
    "Let members in with a password again where single sign-on is required and does not work.",
  ).action(async ({ org, json }: Options) => {
    const scope = systemScope("cli", org);
    await getOrganization(scope);
    await requireSingleSignOn(scope, false);
    print(json, { org, is_required: false }, "Single sign-on is not required.");
  });

  command(
    "unlink",
    "Forget who somebody is at an organization's identity providers. The next who comes with their address is known as them.",
  )
    .argument("<user>", "e-mail or id")
    .action(async (who: string, { org, json }: Options) => {
      const { email } = await unlinkUser(systemScope("cli", org), who);
      print(json, { email }, `${email} is linked again at the next sign-in.`);
    });
}
