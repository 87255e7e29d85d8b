"use server";

import { z } from "zod";
import type { ImportList, SavedMappings } from "@/components/import/listed";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { mappingSchema } from "@/lib/import/mapping";
import type { Preview } from "@/lib/import/run-import";
import {
  type Import,
  type ImportSetup,
  type Recognition,
  recognitionSchema,
  setupSchema,
} from "@/lib/import/schema";
import {
  cancelImport,
  deleteImport,
  previewUpload,
  recogniseAgain,
  startImport,
} from "@/lib/import/server/imports";
import {
  deleteMapping,
  listMappings,
  mappingNameSchema,
  saveMapping,
} from "@/lib/import/server/mappings";
import { beforeSchema, readImportList } from "./listed-imports";

const idSchema = z.object({ id: z.string().min(1).max(64) });

export async function readImportsAction(
  organizationId: string,
  before: string | null,
): Promise<ActionResult<ImportList>> {
  return runAction(
    "action:readImports",
    organizationId,
    z.object({ before: beforeSchema }),
    { before },
    (scope, input) => readImportList(scope, input.before),
  );
}

export async function recogniseImportAction(
  organizationId: string,
  id: string,
  told: Recognition,
): Promise<ActionResult<Import>> {
  return runAction(
    "action:recogniseImport",
    organizationId,
    idSchema.extend({ told: recognitionSchema }),
    { id, told },
    (scope, input) => recogniseAgain(scope, input.id, input.told),
  );
}

const setUpSchema = idSchema.extend({ setup: setupSchema });

export async function previewImportAction(
  organizationId: string,
  id: string,
  setup: ImportSetup,
): Promise<ActionResult<Preview>> {
  return runAction(
    "action:previewImport",
    organizationId,
    setUpSchema,
    { id, setup },
    (scope, input) => previewUpload(scope, input.id, input.setup),
  );
}

export async function startImportAction(
  organizationId: string,
  id: string,
  setup: ImportSetup,
): Promise<ActionResult<Import>> {
  return runAction(
    "action:startImport",
    organizationId,
    setUpSchema,
    { id, setup },
    (scope, input) => startImport(scope, input.id, input.setup),
  );
}

export async function cancelImportAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<Import>> {
  return runAction("action:cancelImport", organizationId, idSchema, { id }, (scope, input) =>
    cancelImport(scope, input.id),
  );
}

export async function deleteImportAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:deleteImport",
    organizationId,
    idSchema,
    { id },
    async (scope, input) => {
      await deleteImport(scope, input.id);
      return null;
    },
  );
}

const savedSchema = z.object({ name: mappingNameSchema, mapping: mappingSchema });

export async function saveImportMappingAction(
  organizationId: string,
  name: string,
  mapping: z.input<typeof mappingSchema>,
): Promise<ActionResult<SavedMappings>> {
  return runAction(
    "action:saveImportMapping",
    organizationId,
    savedSchema,
    { name, mapping },
    async (scope, input) => {
      await saveMapping(scope, input.name, input.mapping);
      return listMappings(scope);
    },
  );
}

export async function deleteImportMappingAction(
  organizationId: string,
  name: string,
): Promise<ActionResult<SavedMappings>> {
  return runAction(
    "action:deleteImportMapping",
    organizationId,
    savedSchema.pick({ name: true }),
    { name },
    async (scope, input) => {
      await deleteMapping(scope, input.name);
      return listMappings(scope);
    },
  );
}
