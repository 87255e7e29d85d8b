import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { formatMoment } from "@/components/integrity/words";
import { Version, Versions } from "@/components/schemas/action-view";
import { newVersionHref, schemasHref } from "@/components/schemas/links";
import { PageHeader } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button-link";
import type { Scope } from "@/lib/auth/scope";
import { currentInstanceScope, pageScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { queryOf } from "@/lib/overview/links";
import { actionSearchSchema } from "@/lib/schemas/search";
import { findVersion } from "@/lib/schemas/server/action-schemas";
import { readAction } from "@/lib/schemas/server/browse";
import { readUnknownActions } from "@/lib/schemas/server/check-event";

export const metadata: Metadata = { title: "Action" };

async function readOrNotFound(scope: Scope, name: string, below: number | null) {
  return readAction(scope, name, below).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") notFound();
    throw error;
  });
}

export default async function ActionPage(props: {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const [{ org }, params] = await Promise.all([props.params, props.searchParams]);
  const scope = await pageScope("page:/o/[org]/schemas/action", org);
  const parsed = actionSearchSchema.safeParse(params);
  if (!parsed.success) notFound();
  const { name, version, against, before } = parsed.data;
  const [action, unknown, mayManage] = await Promise.all([
    readOrNotFound(scope, name, before ?? null),
    readUnknownActions(scope),
    currentInstanceScope("action:createActionSchema"),
  ]);
  const shownVersion = version ?? (before ? before - 1 : action.newest);
  const otherVersion = against ?? (shownVersion > 1 ? shownVersion - 1 : null);
  const [shown, other] = await Promise.all([
    action.newest > 0 ? findVersion(name, shownVersion) : null,
    otherVersion === null ? null : findVersion(name, otherVersion),
  ]);
  if ((action.newest > 0 && !shown) || (otherVersion !== null && !other)) notFound();
  const last = action.lastEventAt
    ? `The newest event of it here is of ${formatMoment(action.lastEventAt)}.`
    : "No event of it is in this log.";
  return (
    <>
      <PageHeader title="Schemas" isLabel />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-4 pb-8 max-sm:p-4">
        <p className="mb-3 text-[12px]">
          <Link
            href={schemasHref(org)}
            className="text-(--text-2) underline decoration-(--border-control) underline-offset-[3px]"
          >
            All actions
          </Link>
        </p>
        <div className="flex flex-wrap items-start gap-3">
          <div className="min-w-0 flex-1 max-sm:basis-full">
            <h1 className="font-mono text-[16px] leading-6 font-semibold break-all">{name}</h1>
            <p className="text-(--text-2)">
              {action.newest > 0
                ? `Version ${action.newest} is the newest. ${last}`
                : `Seen, no schema: its events are ${unknown === "accept" ? "accepted unchecked" : "refused now"}. ${last}`}
            </p>
          </div>
          <div className="flex flex-wrap gap-2">
            {action.lastEventAt && (
              <ButtonLink
                href={`/o/${org}/events?${new URLSearchParams({ q: queryOf("action", name) })}`}
              >
                Its events
              </ButtonLink>
            )}
            {mayManage && (
              <ButtonLink variant="primary" href={newVersionHref(org, name)}>
                {action.newest > 0 ? "New version" : "Register a schema"}
              </ButtonLink>
            )}
          </div>
        </div>
        {shown && (
          <div className="mt-6 grid grid-cols-[280px_minmax(0,1fr)] gap-x-10 gap-y-6 max-lg:grid-cols-[minmax(0,1fr)]">
            <Versions
              organizationId={org}
              name={name}
              versions={action.versions.map((one) => ({
                ...one,
                registeredBy: mayManage ? one.registeredBy : null,
              }))}
              hasOlder={action.hasOlder}
              shown={shownVersion}
            />
            <Version
              organizationId={org}
              name={name}
              newest={action.newest}
              shown={shown}
              against={other}
            />
          </div>
        )}
      </div>
    </>
  );
}
