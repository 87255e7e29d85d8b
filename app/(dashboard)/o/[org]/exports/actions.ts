"use server";

import { z } from "zod";
import type { ExportList, ListedExport } from "@/components/exports/listed";
import type { Scope } from "@/lib/auth/scope";
import { timeBounds } from "@/lib/events/filter/url";
import { searchOf } from "@/lib/events/server/search-of";
import { type Export, exportInput, parseExportInput } from "@/lib/exports/schema";
import {
  cancelExport,
  deleteExport,
  requestExport,
  resumeExport,
  revokeLinks,
} from "@/lib/exports/server/exports";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { beforeSchema, readListedExports, toListed } from "./listed-exports";

const idSchema = z.object({ id: z.string().min(1).max(64) });

const createSchema = exportInput
  .pick({ format: true, options: true })
  /** The explorer's search, as its address has it. */
  .extend({ query: z.string().max(20_000) });

type Done = ActionResult<ListedExport>;

const listed =
  (run: (scope: Scope, id: string) => Promise<Export>) =>
  async (scope: Scope, { id }: { id: string }) =>
    toListed(await run(scope, id));

export async function readExportsAction(
  organizationId: string,
  before: string | null = null,
): Promise<ActionResult<ExportList>> {
  return runAction("action:readExports", organizationId, beforeSchema, before, readListedExports);
}

/** A range that ends now is counted from the server's clock, as the explorer's is. */
export async function createExportAction(
  organizationId: string,
  input: z.input<typeof createSchema>,
): Promise<Done> {
  return runAction(
    "action:createExport",
    organizationId,
    createSchema,
    input,
    async (scope, { query, format, options }) => {
      const { q, time } = searchOf(new URLSearchParams(query));
      const request = { format, q, ...timeBounds(time, Date.now()), options };
      return toListed(await requestExport(scope, parseExportInput(request)));
    },
  );
}

export async function cancelExportAction(organizationId: string, id: string): Promise<Done> {
  return runAction("action:cancelExport", organizationId, idSchema, { id }, listed(cancelExport));
}

export async function resumeExportAction(organizationId: string, id: string): Promise<Done> {
  return runAction("action:resumeExport", organizationId, idSchema, { id }, listed(resumeExport));
}

export async function revokeExportLinksAction(organizationId: string, id: string): Promise<Done> {
  return runAction(
    "action:revokeExportLinks",
    organizationId,
    idSchema,
    { id },
    listed(revokeLinks),
  );
}

export async function deleteExportAction(organizationId: string, id: string): Promise<Done> {
  return runAction("action:deleteExport", organizationId, idSchema, { id }, listed(deleteExport));
}
