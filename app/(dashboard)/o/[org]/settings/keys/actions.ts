"use server";

import { revalidatePath } from "next/cache";
import { z } from "zod";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { type ActionResult, runAction, runInstanceAction } from "@/lib/http/action-result";
import {
  createApiKey,
  newApiKeySchema,
  revokeApiKey,
  rotateApiKey,
  rotationSchema,
} from "@/lib/keys/server/api-keys";

const keySchema = z.object({ id: z.string().max(64) });

type KeyInput = { name: string; permissions: string[] };
type Rotation = z.input<typeof rotationSchema>;
type Made = ActionResult<{ id: string; key: string }>;

/** Does it, and lets the page read again. */
function andRefresh<S extends Scope | InstanceScope, I, T>(
  run: (scope: S, input: I) => Promise<T>,
): (scope: S, input: I) => Promise<T> {
  return async (scope, input) => {
    const result = await run(scope, input);
    revalidatePath("/o/[org]/settings/keys", "page");
    return result;
  };
}

const revoke = andRefresh(async (scope: Scope | InstanceScope, { id }: { id: string }) => {
  await revokeApiKey(scope, id);
  return null;
});
const create = andRefresh(createApiKey);
const rotate = andRefresh(rotateApiKey);

export async function createApiKeyAction(organizationId: string, input: KeyInput): Promise<Made> {
  return runAction("action:createApiKey", organizationId, newApiKeySchema, input, create);
}

export async function rotateApiKeyAction(organizationId: string, input: Rotation): Promise<Made> {
  return runAction("action:rotateApiKey", organizationId, rotationSchema, input, rotate);
}

export async function revokeApiKeyAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction("action:revokeApiKey", organizationId, keySchema, { id }, revoke);
}

/** Keys for every organization: the one in hand tells of it. */
export async function createInstanceApiKeyAction(
  organizationId: string,
  input: KeyInput,
): Promise<Made> {
  return runInstanceAction(
    "action:createInstanceApiKey",
    organizationId,
    newApiKeySchema,
    input,
    create,
  );
}

export async function rotateInstanceApiKeyAction(
  organizationId: string,
  input: Rotation,
): Promise<Made> {
  return runInstanceAction(
    "action:rotateInstanceApiKey",
    organizationId,
    rotationSchema,
    input,
    rotate,
  );
}

export async function revokeInstanceApiKeyAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runInstanceAction(
    "action:revokeInstanceApiKey",
    organizationId,
    keySchema,
    { id },
    revoke,
  );
}
