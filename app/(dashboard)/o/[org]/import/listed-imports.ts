import { z } from "zod";
import type { ImportList } from "@/components/import/listed";
import type { Scope } from "@/lib/auth/scope";
import { listImports } from "@/lib/import/server/imports";

const LISTED = 50;

/** The import that a page of the list begins behind. */
export const beforeSchema = z
  .string()
  .regex(/^import_[0-9A-Z]{26}$/, "is not an import")
  .nullable();

export async function readImportList(scope: Scope, before: string | null): Promise<ImportList> {
  const imports = await listImports(scope, before, LISTED + 1);
  return { imports: imports.slice(0, LISTED), hasOlder: imports.length > LISTED };
}
