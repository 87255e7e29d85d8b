import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuthCard } from "@/components/auth/auth-card";
import { ConnectedHost, PlainHttpWarning } from "@/components/auth/connection";
import { ContinueWith } from "@/components/auth/continue-with";
import { INTERRUPTED, refusalWords } from "@/components/auth/refusal-words";
import { SignInForm } from "@/components/auth/sign-in-form";
import { ButtonLink } from "@/components/ui/button-link";
import { currentUser, singleSignOnOf } from "@/lib/auth/server/require-scope";
import { hasUsers } from "@/lib/auth/server/setup";
import { readArrival } from "@/lib/http/arrival";
import { hasRoutes, routesOf } from "@/lib/sso/server/auth-options";
import { findSignInRouteAction } from "./actions";

export const metadata: Metadata = { title: "Sign in" };

interface Props {
  searchParams: Promise<{ error?: string | string[]; organization?: string | string[] }>;
}

export default async function SignInPage(props: Props) {
  const { error, organization } = await props.searchParams;
  const user = await currentUser();
  if (user) {
    const id = typeof organization === "string" ? organization : "";
    const name = await singleSignOnOf(user, id);
    if (name === null && typeof error !== "string") redirect("/");
    if (name === null) {
      const why = refusalWords(String(error), INTERRUPTED);
      return (
        <AuthCard title="That did not sign you in" lead={why}>
          <div className="grid">
            <ButtonLink href="/o" className="h-9">
              Organizations
            </ButtonLink>
          </div>
        </AuthCard>
      );
    }
    return (
      <AuthCard
        title={`Sign in to ${name}`}
        lead="This organization wants single sign-on: a password does not open it."
      >
        <div className="grid gap-3">
          {(await routesOf(id)).map((route) => (
            <ContinueWith key={route.id} route={route} next={`/o/${id}`} />
          ))}
          <ButtonLink href="/o" variant="quiet" className="h-9">
            Other organizations
          </ButtonLink>
        </div>
      </AuthCard>
    );
  }
  if (!(await hasUsers())) {
    return (
      <AuthCard
        title="Nobody can sign in yet"
        lead="Trailseal printed a one-time link when it started. Open it to create the first administrator; every start prints a fresh one."
      />
    );
  }
  const { host, isExposed } = await readArrival();
  return (
    <AuthCard title="Sign in to Trailseal" lead={<ConnectedHost guess={host} />}>
      <PlainHttpWarning guess={isExposed} />
      <SignInForm
        refusal={typeof error === "string" ? error : null}
        findRoute={(await hasRoutes()) ? findSignInRouteAction : null}
      />
    </AuthCard>
  );
}
