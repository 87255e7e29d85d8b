import type { Metadata } from "next";
import { notFound, redirect } from "next/navigation";
import { SetUp } from "@/components/import/set-up";
import { PageHeader } from "@/components/shell/page-header";
import { pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { getImport } from "@/lib/import/server/imports";
import { listMappings } from "@/lib/import/server/mappings";
import {
  deleteImportAction,
  deleteImportMappingAction,
  previewImportAction,
  recogniseImportAction,
  saveImportMappingAction,
  startImportAction,
} from "../actions";

export const metadata: Metadata = { title: "Set up import" };

export default async function SetUpPage(props: { params: Promise<{ org: string; id: string }> }) {
  const { org, id } = await props.params;
  const scope = await pageScope("page:/o/[org]/import/[id]", org);
  const one = await getImport(scope, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") notFound();
    throw error;
  });
  if (one.state !== "uploaded") redirect(`/o/${org}/import#${id}`);
  return (
    <>
      <PageHeader title="Import" isLabel />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 max-sm:px-4 max-sm:pt-4">
        <SetUp
          organizationId={org}
          initial={one}
          saved={await listMappings(scope)}
          actions={{
            recognise: recogniseImportAction,
            preview: previewImportAction,
            start: startImportAction,
            remove: deleteImportAction,
            saveMapping: saveImportMappingAction,
            deleteMapping: deleteImportMappingAction,
          }}
        />
      </div>
    </>
  );
}
