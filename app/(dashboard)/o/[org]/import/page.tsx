import type { Metadata } from "next";
import { Imports } from "@/components/import/imports";
import { PageHeader } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button-link";
import { ErrorPanel } from "@/components/ui/error-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { getEnv } from "@/lib/env";
import { cancelImportAction, deleteImportAction, readImportsAction } from "./actions";
import { beforeSchema, readImportList } from "./listed-imports";

export const metadata: Metadata = { title: "Import" };

export default async function ImportPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/import", org);
  const before = beforeSchema.safeParse(params.before ?? null);
  if (!before.success)
    return (
      <>
        <PageHeader title="Import" />
        <ErrorPanel
          title="There is no such page of the list"
          action={<ButtonLink href={`/o/${org}/import`}>Newest imports</ButtonLink>}
        >
          The address names an import to begin behind, which is not understood.
        </ErrorPanel>
      </>
    );
  return (
    <>
      <PageHeader title="Import" isLabel />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <Imports
          key={before.data}
          organizationId={org}
          list={await readImportList(scope, before.data)}
          before={before.data}
          maxBytes={getEnv().TRAILSEAL_IMPORT_MAX_BYTES}
          actions={{
            read: readImportsAction,
            cancel: cancelImportAction,
            remove: deleteImportAction,
          }}
        />
      </div>
    </>
  );
}
