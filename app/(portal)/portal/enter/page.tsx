import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { BrandMark } from "@/components/portal/brand-mark";
import { PortalNotice } from "@/components/portal/portal-notice";
import { Button } from "@/components/ui/button";
import { findPortalLink } from "@/lib/auth/server/portal-sessions";
import { readBranding } from "@/lib/portal/server/branding";

export const metadata: Metadata = { title: "Audit log" };

/** Before a link that was mailed or handed on is used up: what scans mails and chats opens it as well. */
export default async function PortalEnterPage(props: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  const { token } = await props.searchParams;
  const link = typeof token === "string" ? await findPortalLink(token) : null;
  if (!link || typeof token !== "string") redirect("/portal/ended");
  const branding = await readBranding();
  const what = link.intent === "log_streams" ? "the log’s streams" : "the audit log";
  return (
    <PortalNotice branding={branding}>
      <BrandMark branding={branding} isLarge />
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        {link.organizationName}
      </h1>
      <p className="max-w-[52ch] text-(--text-2)">
        This link opens {what} once, and what it opens stays open for eight hours in this browser.
      </p>
      <form action="/portal" method="post">
        <input type="hidden" name="token" value={token} />
        <Button type="submit" variant="primary">
          Open {what}
        </Button>
      </form>
    </PortalNotice>
  );
}
