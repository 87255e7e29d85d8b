"use server";

import { revalidatePath } from "next/cache";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { retentionChoiceSchema } from "@/lib/orgs/schema";
import { previewRetention, type RetentionPreview, setRetention } from "@/lib/orgs/server/retention";

export async function previewRetentionAction(
  organizationId: string,
  days: number | null,
): Promise<ActionResult<RetentionPreview>> {
  return runAction(
    "action:previewRetention",
    organizationId,
    retentionChoiceSchema,
    { days },
    (scope, input) => previewRetention(scope, input.days),
  );
}

export async function setRetentionAction(
  organizationId: string,
  days: number | null,
): Promise<ActionResult<null>> {
  return runAction(
    "action:setRetention",
    organizationId,
    retentionChoiceSchema,
    { days },
    async (scope, input) => {
      await setRetention(scope, input.days);
      revalidatePath(`/o/${organizationId}/settings`);
      return null;
    },
  );
}
