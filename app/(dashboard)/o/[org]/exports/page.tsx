import type { Metadata } from "next";
import { Exports } from "@/components/exports/exports";
import type { ExportDraft } from "@/components/exports/listed";
import { PageHeader } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button-link";
import { ErrorPanel } from "@/components/ui/error-panel";
import { pageScope } from "@/lib/auth/server/require-scope";
import { parseEventSearch } from "@/lib/events/filter/parse-url";
import { columnField, isColumnId, MAX_COLUMNS } from "@/lib/events/table-layout";
import { vkeysOf } from "@/lib/integrity/server/signer";
import {
  cancelExportAction,
  createExportAction,
  deleteExportAction,
  readExportsAction,
  resumeExportAction,
  revokeExportLinksAction,
} from "./actions";
import { beforeSchema, readListedExports } from "./listed-exports";

export const metadata: Metadata = { title: "Exports" };

type Params = Record<string, string | string[] | undefined>;

/** A new export as the address begins it: `new`, the explorer's search, and a `column` for each that it shows. */
function draftOf(params: Params): ExportDraft | { problems: string[] } | null {
  if (params.new === undefined) return null;
  const { q, range, from, to } = params;
  const search = parseEventSearch({ q, range, from, to });
  // A filter with a mistake is mended in its field.
  const rest = search.ok ? search : parseEventSearch({ range, from, to });
  if (!rest.ok) return { problems: rest.problems.map(({ message }) => message) };
  const columns = [params.column ?? []]
    .flat()
    .filter((id) => isColumnId(id) || columnField(id))
    .slice(0, MAX_COLUMNS);
  return {
    q: search.ok ? search.search.q : search.q,
    time: rest.search.time,
    columns: columns.length > 0 ? [...new Set(columns)] : null,
  };
}

export default async function ExportsPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Params>;
}) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/exports", org);
  const asked = beforeSchema.safeParse(params.before ?? null);
  if (!asked.success)
    return (
      <>
        <PageHeader title="Exports" />
        <ErrorPanel
          title="Which exports?"
          action={<ButtonLink href={`/o/${org}/exports`}>The newest</ButtonLink>}
        >
          The address names an export to begin behind, and it is none.
        </ErrorPanel>
      </>
    );
  const { data: before } = asked;
  const [list, vkeys] = await Promise.all([readListedExports(scope, before), vkeysOf(scope)]);
  const draft = draftOf(params);
  if (draft && "problems" in draft)
    return (
      <>
        <PageHeader title="Exports" />
        <ErrorPanel
          title="Nothing was exported"
          action={<ButtonLink href={`/o/${org}/exports?new=1`}>Start over</ButtonLink>}
        >
          The address says which events to export, and its time is not understood.{" "}
          {draft.problems.join(" ").replaceAll("`", "")}
        </ErrorPanel>
      </>
    );
  return (
    <>
      <PageHeader title="Exports" isLabel />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <Exports
          organizationId={org}
          key={before}
          list={list}
          before={before}
          vkeys={vkeys}
          draft={draft}
          actions={{
            read: readExportsAction,
            create: createExportAction,
            cancel: cancelExportAction,
            resume: resumeExportAction,
            revokeLinks: revokeExportLinksAction,
            remove: deleteExportAction,
          }}
        />
      </div>
    </>
  );
}
