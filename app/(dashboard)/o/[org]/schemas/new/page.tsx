import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { draftOf } from "@/components/schemas/draft";
import { SchemaForm } from "@/components/schemas/schema-form";
import { PageHeader } from "@/components/shell/page-header";
import type { Scope } from "@/lib/auth/scope";
import { pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { newSearchSchema } from "@/lib/schemas/search";
import { findVersion } from "@/lib/schemas/server/action-schemas";
import { readAction } from "@/lib/schemas/server/browse";
import { createActionSchemaAction, trySchemaAction } from "../actions";

export const metadata: Metadata = { title: "New schema" };

/** What the form begins with: the newest version, else the types of targets that were seen. */
async function readStart(scope: Scope, name: string) {
  const empty = { targets: [{ type: "" }], actor: null, metadata: null };
  if (name === "") return { version: null, schema: empty };
  const newest = await findVersion(name);
  if (newest) return { version: newest.version + 1, schema: newest };
  const seen = await readAction(scope, name, null).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") notFound();
    throw error;
  });
  const targets = seen.seenTargets.map((type) => ({ type }));
  return { version: 1, schema: { ...empty, ...(targets.length > 0 ? { targets } : {}) } };
}

export default async function NewSchemaPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/schemas/new", org);
  const parsed = newSearchSchema.safeParse(params);
  if (!parsed.success) notFound();
  const { action } = parsed.data;
  const { version, schema } = await readStart(scope, action);
  return (
    <>
      <PageHeader title="Schemas" isLabel />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <h1 className="mb-5 text-[16px] leading-6 font-semibold tracking-[-0.012em]">
          {version === null ? "New schema" : `New version of ${action}`}
        </h1>
        <SchemaForm
          organizationId={org}
          initial={draftOf(action, schema)}
          version={version}
          check={trySchemaAction}
          create={createActionSchemaAction}
        />
      </div>
    </>
  );
}
