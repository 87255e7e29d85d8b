"use server";

import { z } from "zod";
import { createFirstAdministrator } from "@/lib/auth/server/setup";
import { newUserSchema } from "@/lib/auth/server/users";
import { type ActionResult, runPublicAction } from "@/lib/http/action-result";

const inputSchema = newUserSchema
  .pick({ name: true, email: true, password: true })
  .extend({ token: z.string().max(200) });

/** The one-time token is the permission. */
export async function createFirstAdministratorAction(input: unknown): Promise<ActionResult<null>> {
  return runPublicAction(
    "action:createFirstAdministrator",
    inputSchema,
    input,
    async ({ token, ...user }) => {
      await createFirstAdministrator(token, user);
      return null;
    },
  );
}
