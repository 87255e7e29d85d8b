"use server";

import { z } from "zod";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { newViewSchema, viewChangeSchema, viewIdSchema, viewMarkSchema } from "@/lib/views/schema";
import { createView, deleteView, listViews, markView, updateView } from "@/lib/views/server/views";
import type { OpenView, ViewList } from "@/lib/views/view";

export async function readViewsAction(organizationId: string): Promise<ActionResult<ViewList>> {
  return runAction("action:readViews", organizationId, z.object({}), {}, listViews);
}

export async function createViewAction(
  organizationId: string,
  view: { name: string; isShared: boolean; search: string; layout: unknown },
): Promise<ActionResult<OpenView>> {
  return runAction("action:createView", organizationId, newViewSchema, view, createView);
}

/** Changes what `change` names, of one's own view. */
export async function updateViewAction(
  organizationId: string,
  id: string,
  change: { name?: string; isShared?: boolean; search?: string; layout?: unknown },
): Promise<ActionResult<OpenView>> {
  return runAction(
    "action:updateView",
    organizationId,
    viewChangeSchema,
    { id, change },
    (scope, input) => updateView(scope, input.id, input.change),
  );
}

export async function deleteViewAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:deleteView",
    organizationId,
    z.object({ id: viewIdSchema }),
    { id },
    async (scope, input) => {
      await deleteView(scope, input.id);
      return null;
    },
  );
}

export async function markViewAction(
  organizationId: string,
  id: string,
  mark: { isStarred?: boolean; isDefault?: boolean },
): Promise<ActionResult<OpenView>> {
  return runAction(
    "action:markView",
    organizationId,
    viewMarkSchema,
    { id, mark },
    (scope, input) => markView(scope, input.id, input.mark),
  );
}
