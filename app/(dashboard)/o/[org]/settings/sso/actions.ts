"use server";

import { revalidatePath } from "next/cache";
import { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import {
  domainsSchema,
  type IssuerReport,
  issuerSchema,
  newProviderSchema,
  providerChangeSchema,
  providerIdSchema,
  requirementSchema,
} from "@/lib/sso/schema";
import { checkIssuer } from "@/lib/sso/server/discovery";
import {
  changeProvider,
  createProvider,
  deleteProvider,
  requireSingleSignOn,
  setDomains,
} from "@/lib/sso/server/providers";

const checkSchema = z.object({ issuer: issuerSchema });

/** Does it, and lets the page read again. */
function done<I>(run: (scope: Scope, input: I) => Promise<unknown>) {
  return async (scope: Scope, input: I): Promise<null> => {
    await run(scope, input);
    revalidatePath("/o/[org]/settings/sso", "page");
    return null;
  };
}

const change = done(changeProvider);
const remove = done((scope: Scope, { id }: { id: string }) => deleteProvider(scope, id));
const demand = done((scope: Scope, input: z.infer<typeof requirementSchema>) =>
  requireSingleSignOn(scope, input.isRequired),
);
const route = done((scope: Scope, input: z.infer<typeof domainsSchema>) =>
  setDomains(scope, input.id, input.domains),
);

export async function createIdentityProviderAction(
  organizationId: string,
  input: { name: string },
): Promise<ActionResult<{ id: string }>> {
  return runAction(
    "action:createIdentityProvider",
    organizationId,
    newProviderSchema,
    input,
    async (scope, { name }) => {
      const made = await createProvider(scope, name);
      revalidatePath("/o/[org]/settings/sso", "page");
      return made;
    },
  );
}

export async function changeIdentityProviderAction(
  organizationId: string,
  input: z.input<typeof providerChangeSchema>,
): Promise<ActionResult<null>> {
  return runAction(
    "action:changeIdentityProvider",
    organizationId,
    providerChangeSchema,
    input,
    change,
  );
}

export async function deleteIdentityProviderAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:deleteIdentityProvider",
    organizationId,
    providerIdSchema,
    { id },
    remove,
  );
}

export async function checkIssuerAction(
  organizationId: string,
  issuer: string,
): Promise<ActionResult<IssuerReport>> {
  return runAction("action:checkIssuer", organizationId, checkSchema, { issuer }, (scope, input) =>
    checkIssuer(scope, input.issuer),
  );
}

export async function requireSingleSignOnAction(
  organizationId: string,
  isRequired: boolean,
): Promise<ActionResult<null>> {
  return runAction(
    "action:requireSingleSignOn",
    organizationId,
    requirementSchema,
    { isRequired },
    demand,
  );
}

export async function setIdentityDomainsAction(
  organizationId: string,
  input: { id: string; domains: string[] },
): Promise<ActionResult<null>> {
  return runAction("action:setIdentityDomains", organizationId, domainsSchema, input, route);
}
