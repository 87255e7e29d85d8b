"use server";

import { revalidatePath } from "next/cache";
import { type ReadSampling, readSamplingSchema } from "@/lib/events/reads";
import { setReadSampling } from "@/lib/events/server/record-read";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { retentionChoiceSchema } from "@/lib/orgs/schema";
import { setRetention } from "@/lib/orgs/server/retention";
import {
  newHoldSchema,
  policySchema,
  type RetentionPreview,
  releaseSchema,
  type Undelivered,
} from "@/lib/retention/schema";
import { placeHold, releaseHold } from "@/lib/retention/server/holds";
import { previewRetention } from "@/lib/retention/server/overview";

const refresh = (organizationId: string) => revalidatePath(`/o/${organizationId}/settings`);

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
  policy: { days: number | null; undelivered: Undelivered },
): Promise<ActionResult<null>> {
  return runAction(
    "action:setRetention",
    organizationId,
    policySchema,
    policy,
    async (scope, { days, undelivered }) => {
      await setRetention(scope, days, undelivered);
      refresh(organizationId);
      return null;
    },
  );
}

export async function setReadSamplingAction(
  organizationId: string,
  sampling: ReadSampling,
): Promise<ActionResult<null>> {
  return runAction(
    "action:setReadSampling",
    organizationId,
    readSamplingSchema,
    sampling,
    async (scope, chosen) => {
      await setReadSampling(scope, chosen);
      refresh(organizationId);
      return null;
    },
  );
}

export async function placeHoldAction(
  organizationId: string,
  reason: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:placeHold",
    organizationId,
    newHoldSchema,
    { reason },
    async (scope, input) => {
      await placeHold(scope, input.reason);
      refresh(organizationId);
      return null;
    },
  );
}

export async function releaseHoldAction(
  organizationId: string,
  release: { id: string; reason: string },
): Promise<ActionResult<null>> {
  return runAction(
    "action:releaseHold",
    organizationId,
    releaseSchema,
    release,
    async (scope, { id, reason }) => {
      await releaseHold(scope, id, reason);
      refresh(organizationId);
      return null;
    },
  );
}
