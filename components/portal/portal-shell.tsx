import Link from "next/link";
import type { ReactNode } from "react";
import { TimeCards } from "@/components/events/time-cards";
import { buttonClasses } from "@/components/ui/button";
import { Toasts } from "@/components/ui/toasts";
import type { Permission } from "@/lib/auth/permissions";
import type { Branding } from "@/lib/portal/branding";
import { PORTAL_LABEL, placesOf, portalHref } from "@/lib/portal/places";
import { BrandMark } from "./brand-mark";
import { brandStyle } from "./brand-style";

interface Props {
  portal: {
    organizationId: string;
    organizationName: string;
    permissions: ReadonlySet<Permission>;
    returnUrl: string | null;
    successUrl: string | null;
  };
  branding: Branding;
  children: ReactNode;
}

/** Around the pages that somebody without an account sees of one organization. */
export function PortalShell({ portal, branding, children }: Props) {
  const { organizationId, organizationName, returnUrl, successUrl } = portal;
  const places = placesOf(portal);
  return (
    <div
      data-portal=""
      style={brandStyle(branding)}
      className="flex h-dvh flex-col overflow-hidden"
    >
      {branding.colour && <div aria-hidden="true" className="h-[3px] shrink-0 bg-(--ink)" />}
      <header className="flex min-h-11 shrink-0 flex-wrap items-center gap-x-4 border-b border-(--border) px-4">
        <BrandMark branding={branding} />
        <span className="min-w-0 truncate font-semibold">{organizationName}</span>
        {places.length > 1 && (
          <nav aria-label="Audit log" className="flex gap-3">
            {places.map((intent) => (
              <Link
                key={intent}
                href={portalHref(organizationId, intent)}
                className="flex items-center max-sm:min-h-11"
              >
                {PORTAL_LABEL[intent]}
              </Link>
            ))}
          </nav>
        )}
        <div className="ml-auto flex items-center gap-4">
          {returnUrl && (
            <a
              href={returnUrl}
              rel="noreferrer"
              className="flex items-center underline decoration-(--border-control) underline-offset-3 max-sm:min-h-11"
            >
              Back to {new URL(returnUrl).host}
            </a>
          )}
          {successUrl && (
            <a href={successUrl} rel="noreferrer" className={buttonClasses({})}>
              Finish
            </a>
          )}
        </div>
      </header>
      <main id="content" className="flex min-h-0 min-w-0 flex-1 flex-col bg-(--surface)">
        {children}
      </main>
      <Toasts />
      <TimeCards />
    </div>
  );
}
