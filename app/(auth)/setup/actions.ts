"use server";

import { z } from "zod";
import { createFirstAdministrator } from "@/lib/auth/server/setup";
import { newUserSchema } from "@/lib/auth/server/users";
import { type ActionResult, toActionResult } from "@/lib/http/action-result";
import { parseInput } from "@/lib/http/parse-input";

const inputSchema = newUserSchema
  .pick({ name: true, email: true, password: true })
  .extend({ token: z.string().max(200) });

/** Declared public as action:createFirstAdministrator: the one-time token is the permission. */
export async function createFirstAdministratorAction(input: unknown): Promise<ActionResult<null>> {
  return toActionResult(async () => {
    const { token, ...user } = parseInput(inputSchema, input);
    await createFirstAdministrator(token, user);
    return null;
  });
}
