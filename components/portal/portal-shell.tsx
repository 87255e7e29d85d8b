import Link from "next/link";
import type { ReactNode } from "react";
import { TimeCards } from "@/components/events/time-cards";
import { Logo } from "@/components/shell/logo";
import { Toasts } from "@/components/ui/toasts";
import type { Permission } from "@/lib/auth/permissions";
import { PORTAL_LABEL, placesOf, portalHref } from "@/lib/portal/places";

interface Props {
  portal: {
    organizationId: string;
    organizationName: string;
    permissions: ReadonlySet<Permission>;
    returnUrl: string | null;
  };
  children: ReactNode;
}

/** Around the pages that somebody without an account sees of one organization. */
export function PortalShell({ portal, children }: Props) {
  const { organizationId, organizationName, returnUrl } = portal;
  const places = placesOf(portal);
  return (
    <div data-portal="" className="flex h-dvh flex-col overflow-hidden">
      <header className="flex min-h-11 shrink-0 flex-wrap items-center gap-x-4 border-b border-(--border) px-4">
        <Logo className="h-4 w-5" />
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
        {returnUrl && (
          <a
            href={returnUrl}
            rel="noreferrer"
            className="ml-auto flex items-center underline decoration-(--border-control) underline-offset-3 max-sm:min-h-11"
          >
            Back to {new URL(returnUrl).host}
          </a>
        )}
      </header>
      <main id="content" className="flex min-h-0 min-w-0 flex-1 flex-col bg-(--surface)">
        {children}
      </main>
      <Toasts />
      <TimeCards />
    </div>
  );
}
