"use server";

import { revalidatePath } from "next/cache";
import { z } from "zod";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { createApiKey, newApiKeySchema, revokeApiKey } from "@/lib/keys/server/api-keys";

export async function createApiKeyAction(
  organizationId: string,
  name: string,
): Promise<ActionResult<{ id: string; key: string }>> {
  return runAction(
    "action:createApiKey",
    organizationId,
    newApiKeySchema,
    { name },
    async (scope, input) => {
      const made = await createApiKey(scope, input);
      revalidatePath(`/o/${scope.organizationId}/settings/keys`);
      return made;
    },
  );
}

export async function revokeApiKeyAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:revokeApiKey",
    organizationId,
    z.object({ id: z.string().max(64) }),
    { id },
    async (scope, input) => {
      await revokeApiKey(scope, input.id);
      revalidatePath(`/o/${scope.organizationId}/settings/keys`);
      return null;
    },
  );
}
