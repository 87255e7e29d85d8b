import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import type { FormatId } from "../formats";
import { type StoredSecrets, storedSecretsSchema } from "./secrets";

export interface StreamRow {
  id: string;
  name: string;
  destination: string;
  config: unknown;
  secrets: StoredSecrets;
  format: FormatId;
}

/** @throws AppError not_found for deleted streams and those of other organizations. */
export async function findStream(scope: Scope, id: string): Promise<StreamRow> {
  const row = await getPrisma().stream.findFirst({
    where: { organizationId: scope.organizationId, id, deletedAt: null },
  });
  if (!row) throw new AppError("not_found", "There is no such stream.");
  return {
    id: row.id,
    name: row.name,
    destination: row.destination,
    config: row.config,
    secrets: storedSecretsSchema.parse(row.secrets),
    format: row.format as FormatId,
  };
}
