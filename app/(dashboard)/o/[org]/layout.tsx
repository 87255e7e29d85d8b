import type { Metadata } from "next";
import { notFound } from "next/navigation";
import type { ReactNode } from "react";
import { TimeCards } from "@/components/events/time-cards";
import { ExportWatch } from "@/components/exports/export-watch";
import { PortalShell } from "@/components/portal/portal-shell";
import { titleOf } from "@/components/portal/title";
import { Commands } from "@/components/shell/commands";
import { MobileBar, Sidebar } from "@/components/shell/navigation";
import { ButtonLink } from "@/components/ui/button-link";
import { ErrorPanel } from "@/components/ui/error-panel";
import { Toasts } from "@/components/ui/toasts";
import type { Scope } from "@/lib/auth/scope";
import { pageScope, pageUser, portalWithin } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { listOrganizationsOf } from "@/lib/orgs/server/organizations";
import { readBranding } from "@/lib/portal/server/branding";
import { signOutAction } from "../../actions";
import { BreakAlarm } from "./break-alarm";
import { readViewsAction } from "./events/views/actions";
import { readExportsAction } from "./exports/actions";
import { StreamAlarm } from "./stream-alarm";

interface Props {
  children: ReactNode;
  params: Promise<{ org: string }>;
}

export async function generateMetadata({ params }: Pick<Props, "params">): Promise<Metadata> {
  const portal = await portalWithin((await params).org);
  return portal ? titleOf(await readBranding()) : {};
}

export default async function OrganizationLayout(props: Props) {
  const { org } = await props.params;
  const portal = await portalWithin(org);
  if (portal)
    return (
      <PortalShell portal={portal} branding={await readBranding()}>
        {props.children}
      </PortalShell>
    );
  const user = await pageUser("page:/o");
  const organizations = (await listOrganizationsOf(user)).map(({ id, name, home }) => ({
    ...{ id, name, home },
  }));
  const organization = organizations.find(({ id }) => id === org);
  if (!organization) notFound();
  let scope: Scope;
  try {
    // Whoever reads no events sees the overview.
    const isHome = organization.home.endsWith("/events");
    scope = await pageScope(isHome ? "page:/o/[org]/events" : "page:/o/[org]", org);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return (
      <ErrorPanel
        title="Nothing can be shown."
        action={<ButtonLink href="/o">Organizations</ButtonLink>}
      >
        {error.message}
      </ErrorPanel>
    );
  }
  const granted = [...scope.permissions];
  const navigation = {
    granted,
    organization,
    organizations,
    user: { name: user.name, email: user.email },
    signOut: signOutAction,
  };
  return (
    <div className="flex h-dvh overflow-hidden max-md:flex-col">
      <a
        href="#content"
        className="absolute -top-10 left-2 z-50 rounded-[5px] bg-(--ink) px-2.5 py-1.5 text-(--text-on-ink) focus:top-2"
      >
        Skip to content
      </a>
      <Sidebar {...navigation} />
      <MobileBar {...navigation} />
      <main id="content" className="flex min-h-0 min-w-0 flex-1 flex-col bg-(--surface)">
        {scope.permissions.has("integrity:read") && <BreakAlarm scope={scope} />}
        {scope.permissions.has("streams:read") && <StreamAlarm scope={scope} />}
        {props.children}
      </main>
      <Toasts />
      {scope.permissions.has("exports:manage") && (
        <ExportWatch organizationId={org} read={readExportsAction} />
      )}
      <TimeCards />
      <Commands
        organizationId={org}
        granted={granted}
        listViews={scope.permissions.has("views:manage") ? readViewsAction : null}
      />
    </div>
  );
}
