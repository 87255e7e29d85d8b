"use server";

import { z } from "zod";
import { type ActionResult, runPublicAction } from "@/lib/http/action-result";
import type { Route } from "@/lib/sso/schema";
import { routeOf } from "@/lib/sso/server/auth-options";

const inputSchema = z.object({ email: z.string().trim().toLowerCase().max(254) });

/** Knows domains alone: it answers the same whether or not somebody has the address. */
export async function findSignInRouteAction(input: unknown): Promise<ActionResult<Route | null>> {
  return runPublicAction("action:findSignInRoute", inputSchema, input, ({ email }) =>
    routeOf(email),
  );
}
