import type { Metadata } from "next";
import { z } from "zod";
import { NewPortalLink } from "@/components/settings/new-portal-link";
import { PortalLinks } from "@/components/settings/portal-links";
import { PageHeader } from "@/components/shell/page-header";
import { buttonClasses } from "@/components/ui/button";
import { listPortalLinks } from "@/lib/auth/server/portal-links";
import { pageScope } from "@/lib/auth/server/require-scope";
import { storableText } from "@/lib/http/parse-input";
import { hasMailServer } from "@/lib/mail/server/send-mail";
import { makePortalLinkAction, revokePortalLinkAction } from "./actions";

export const metadata: Metadata = { title: "Portal" };

const searchSchema = z.object({
  /** Links that were made before this one. */
  before: storableText(64).optional().catch(undefined),
});

interface Props {
  params: Promise<{ org: string }>;
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function PortalLinksPage(props: Props) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings/portal", org);
  const { before } = searchSchema.parse(await props.searchParams);
  const { links, older } = await listPortalLinks(scope, { before });
  return (
    <>
      <PageHeader title="Portal" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <p className="max-w-[80ch] text-(--text-2)">
          Links for people without an account: they read this organization’s events, or set up where
          those are sent. Your application makes them with POST /portal/generate_link; here you make
          one by hand. What a link opens lasts eight hours.
        </p>
        <NewPortalLink organizationId={org} mails={hasMailServer()} make={makePortalLinkAction} />
        <h2 className="mt-8 mb-2 text-[14px] font-semibold tracking-[-0.012em]">Links</h2>
        <PortalLinks
          organizationId={org}
          links={links}
          mails={hasMailServer()}
          isOlder={before !== undefined}
          revoke={revokePortalLinkAction}
        />
        <div className="mt-3 flex gap-2">
          {before !== undefined && (
            <a href="?" className={buttonClasses({})}>
              Newest
            </a>
          )}
          {older !== null && (
            <a href={`?before=${older}`} className={buttonClasses({})}>
              Older
            </a>
          )}
        </div>
      </div>
    </>
  );
}
