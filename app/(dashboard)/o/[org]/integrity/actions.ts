"use server";

import { z } from "zod";
import { AppError } from "@/lib/errors";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import type { Verification } from "@/lib/integrity/schema";
import { askForDrill } from "@/lib/integrity/server/drill-runs";
import {
  cancelVerification,
  getVerification,
  startVerification,
} from "@/lib/integrity/server/verification-jobs";

const idSchema = z.object({ id: z.string().min(1).max(64) });

export async function startVerificationAction(
  organizationId: string,
): Promise<ActionResult<Verification>> {
  return runAction("action:startVerification", organizationId, z.object({}), {}, (scope) =>
    startVerification(scope),
  );
}

export async function cancelVerificationAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:cancelVerification",
    organizationId,
    idSchema,
    { id },
    async (scope, input) => {
      await cancelVerification(scope, input.id);
      return null;
    },
  );
}

export async function readVerificationAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<Verification>> {
  return runAction(
    "action:readVerification",
    organizationId,
    idSchema,
    { id },
    async (scope, input) => {
      const run = await getVerification(scope, input.id);
      if (!run) throw new AppError("not_found", "There is no such verification.");
      return run;
    },
  );
}

export async function askForDrillAction(organizationId: string): Promise<ActionResult<null>> {
  return runAction("action:askForDrill", organizationId, z.object({}), {}, async (scope) => {
    await askForDrill(scope);
    return null;
  });
}
