import type { Metadata } from "next";
import { BrandMark } from "@/components/portal/brand-mark";
import { PortalNotice } from "@/components/portal/portal-notice";
import { ButtonLink } from "@/components/ui/button-link";
import { readBranding } from "@/lib/portal/server/branding";

export const metadata: Metadata = { title: "Link ended" };

export default async function PortalEndedPage() {
  const branding = await readBranding();
  return (
    <PortalNotice branding={branding}>
      <BrandMark branding={branding} isLarge />
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        This link does not open any more
      </h1>
      <p className="max-w-[52ch] text-(--text-2)">
        A link works once: within five minutes, or within seven days where it was sent to you. What
        it opens stays open for eight hours. Ask for a new one where you got it.
      </p>
      <ButtonLink href="/sign-in">Sign in with an account</ButtonLink>
    </PortalNotice>
  );
}
