"use server";

import { revalidatePath } from "next/cache";
import type { InstanceScope } from "@/lib/auth/scope";
import { type ActionResult, runInstanceAction } from "@/lib/http/action-result";
import { type BrandingInput, brandingInputSchema } from "@/lib/portal/branding";
import { saveBranding } from "@/lib/portal/server/branding";

async function save(scope: InstanceScope, input: BrandingInput): Promise<null> {
  await saveBranding(scope, input);
  revalidatePath("/instance/portal", "page");
  return null;
}

/** Of the portal of every organization; `logo` as base64, null takes it away. */
export async function saveBrandingAction(input: {
  name: string | null;
  colour: string | null;
  returnAddresses: string[];
  logo?: string | null;
}): Promise<ActionResult<null>> {
  return runInstanceAction("action:saveBranding", null, brandingInputSchema, input, save);
}
