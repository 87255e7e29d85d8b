import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { PortalShell } from "@/components/portal/portal-shell";
import { ButtonLink } from "@/components/ui/button-link";
import { currentPortal } from "@/lib/auth/server/require-scope";
import { PORTAL_LABEL, placesOf, portalHref } from "@/lib/portal/places";
import { readBranding } from "@/lib/portal/server/branding";

export const metadata: Metadata = { title: "Audit log" };

export default async function PortalStartPage() {
  const portal = await currentPortal();
  if (!portal) redirect("/portal/ended");
  return (
    <PortalShell portal={portal} branding={await readBranding()}>
      <div className="p-8 max-sm:p-4">
        <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">Audit log</h1>
        <p className="mt-1 mb-4 text-(--text-2)">
          What happened in {portal.organizationName}, and where copies of it go.
        </p>
        <div className="flex gap-2">
          {placesOf(portal).map((intent) => (
            <ButtonLink key={intent} href={portalHref(portal.organizationId, intent)}>
              {PORTAL_LABEL[intent]}
            </ButtonLink>
          ))}
        </div>
      </div>
    </PortalShell>
  );
}
