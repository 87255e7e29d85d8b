import type { Metadata } from "next";
import { AccountForm } from "@/components/auth/account-form";
import { AuthCard } from "@/components/auth/auth-card";
import { PlainHttpWarning } from "@/components/auth/connection";
import { JoinForm } from "@/components/auth/join-form";
import { SignInForm } from "@/components/auth/sign-in-form";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { ROLE_LABEL } from "@/lib/auth/roles";
import { findInvitation } from "@/lib/auth/server/invitations";
import { currentUser } from "@/lib/auth/server/require-scope";
import { readArrival } from "@/lib/http/arrival";
import { hasRoutes } from "@/lib/sso/server/auth-options";
import { signOutAction } from "../../(dashboard)/actions";
import { findSignInRouteAction } from "../sign-in/actions";
import { acceptInvitationAction, acceptWithNewAccountAction } from "./actions";

export const metadata: Metadata = { title: "Invitation", referrer: "no-referrer" };

export default async function InvitationPage(props: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  const { token } = await props.searchParams;
  const invitation = typeof token === "string" ? await findInvitation(token) : null;
  if (!invitation || typeof token !== "string") {
    return (
      <AuthCard
        title="This invitation does not work"
        lead="It was used, revoked or is over. Ask whoever invited you for another one."
      >
        <div className="grid">
          <ButtonLink href="/sign-in" className="h-9">
            Sign in
          </ButtonLink>
        </div>
      </AuthCard>
    );
  }
  const user = await currentUser();
  const lead = `You are invited as ${ROLE_LABEL[invitation.role].toLowerCase()}, with the address ${invitation.email}.`;
  return (
    <AuthCard title={`Join ${invitation.organizationName}`} lead={lead}>
      <PlainHttpWarning guess={(await readArrival()).isExposed} />
      {user?.email === invitation.email ? (
        <JoinForm token={token} join={acceptInvitationAction} />
      ) : user ? (
        <form action={signOutAction} className="grid gap-3 text-center">
          <p className="text-(--text-2)">
            You are signed in as {user.email}. Sign out, then open the link again.
          </p>
          <Button type="submit" className="h-9 max-sm:h-11">
            Sign out
          </Button>
        </form>
      ) : invitation.hasAccount ? (
        <SignInForm
          email={invitation.email}
          next={`/invitation?token=${encodeURIComponent(token)}`}
          findRoute={(await hasRoutes()) ? findSignInRouteAction : null}
        />
      ) : (
        <AccountForm
          token={token}
          email={invitation.email}
          label="Create account and join"
          create={acceptWithNewAccountAction}
        />
      )}
    </AuthCard>
  );
}
