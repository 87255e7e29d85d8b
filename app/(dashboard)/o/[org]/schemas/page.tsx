import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { ActionList } from "@/components/schemas/action-list";
import { newVersionHref, schemasHref } from "@/components/schemas/links";
import { NoActions } from "@/components/schemas/no-actions";
import { UnknownActions } from "@/components/schemas/unknown-actions";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { Input } from "@/components/ui/field";
import { currentInstanceScope, pageScope } from "@/lib/auth/server/require-scope";
import { listSearchSchema } from "@/lib/schemas/search";
import { browseActions } from "@/lib/schemas/server/browse";
import { readUnknownActions } from "@/lib/schemas/server/check-event";
import { baseUrl } from "../first-event";
import { setUnknownActionsAction } from "./actions";

export const metadata: Metadata = { title: "Schemas" };

export default async function SchemasPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/schemas", org);
  const parsed = listSearchSchema.safeParse(params);
  if (!parsed.success) notFound();
  const { q, after } = parsed.data;
  const [page, unknown, mayManage] = await Promise.all([
    browseActions(scope, { search: q, after }),
    readUnknownActions(scope),
    currentInstanceScope("action:createActionSchema"),
  ]);
  const isEmpty = page.actions.length === 0;
  const newSchema = mayManage && (
    <ButtonLink variant="primary" href={newVersionHref(org)}>
      New schema
    </ButtonLink>
  );
  const isWhole = q === "" && after === "";
  return (
    <>
      <PageHeader title="Schemas" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <p className="max-w-[80ch] text-(--text-2)">
          A schema says what the API takes as an event of an action. Schemas hold for the whole
          instance; events are those of this organization.
          {!mayManage && " An administrator of the instance registers them."}
        </p>
        <UnknownActions
          organizationId={org}
          choice={unknown}
          set={mayManage ? setUnknownActionsAction : null}
        />
        {isEmpty && isWhole ? (
          <NoActions baseUrl={await baseUrl()}>{newSchema}</NoActions>
        ) : (
          <>
            <div className="mt-5 flex flex-wrap items-center gap-2">
              <search className="min-w-0 flex-1">
                <form action={schemasHref(org)} className="flex max-w-[420px] gap-2">
                  <Input
                    type="search"
                    name="q"
                    aria-label="Name contains"
                    placeholder="Name contains"
                    defaultValue={q}
                    maxLength={255}
                    className="!h-7 max-sm:!h-11"
                  />
                  <Button type="submit">Search</Button>
                </form>
              </search>
              {newSchema}
            </div>
            {isEmpty ? (
              <p className="mt-6 text-(--text-2)">
                {page.next === null
                  ? `No action ${after === "" ? "" : "further on "}contains “${q}”.`
                  : "None so far."}
              </p>
            ) : (
              <ActionList
                organizationId={org}
                actions={page.actions.map(({ schema, ...action }) => ({
                  ...action,
                  // Who administers the instance is not everybody's to know.
                  schema: schema && {
                    ...schema,
                    registeredBy: mayManage ? schema.registeredBy : null,
                  },
                }))}
              />
            )}
            <p className="mt-4 flex gap-2">
              {after !== "" && <ButtonLink href={schemasHref(org, { q })}>First page</ButtonLink>}
              {page.next !== null && (
                <ButtonLink href={schemasHref(org, { q, after: page.next })}>
                  {isEmpty ? "Search on" : "Next page"}
                </ButtonLink>
              )}
            </p>
          </>
        )}
      </div>
    </>
  );
}
