"use server";

import { z } from "zod";
import { type ActionResult, runAction, runInstanceAction } from "@/lib/http/action-result";
import { actionNameSchema, newActionSchemaSchema, type Trial } from "@/lib/schemas/schema";
import { createActionSchema } from "@/lib/schemas/server/action-schemas";
import { forgetUnknown, setUnknownActions } from "@/lib/schemas/server/check-event";
import { trySchema } from "@/lib/schemas/server/try-schema";

const inputSchema = z.object({ action: actionNameSchema, schema: newActionSchemaSchema });

export async function trySchemaAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<Trial>> {
  return runAction(
    "action:trySchema",
    organizationId,
    inputSchema,
    input,
    (scope, { action, schema }) => trySchema(scope, action, schema),
  );
}

export async function createActionSchemaAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<{ version: number }>> {
  return runInstanceAction(
    "action:createActionSchema",
    organizationId,
    inputSchema,
    input,
    async (scope, { action, schema }) => {
      const { version } = await createActionSchema(scope, action, schema);
      forgetUnknown();
      return { version };
    },
  );
}

export async function setUnknownActionsAction(
  organizationId: string,
  choice: "accept" | "refuse",
): Promise<ActionResult<null>> {
  return runInstanceAction(
    "action:setUnknownActions",
    organizationId,
    z.enum(["accept", "refuse"]),
    choice,
    async (scope, chosen) => {
      await setUnknownActions(scope, chosen);
      return null;
    },
  );
}
