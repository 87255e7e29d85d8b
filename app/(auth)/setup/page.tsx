import type { Metadata } from "next";
import { AccountForm } from "@/components/auth/account-form";
import { AuthCard } from "@/components/auth/auth-card";
import { PlainHttpWarning } from "@/components/auth/connection";

import { ButtonLink } from "@/components/ui/button-link";
import { isSetupToken } from "@/lib/auth/server/setup";
import { readArrival } from "@/lib/http/arrival";
import { createFirstAdministratorAction } from "./actions";

export const metadata: Metadata = { title: "Set up", referrer: "no-referrer" };

export default async function SetupPage(props: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  const { token } = await props.searchParams;
  if (typeof token !== "string" || !(await isSetupToken(token))) {
    return (
      <AuthCard
        title="This link does not work"
        lead="It was used already, or a newer one was printed. While there is no administrator, every start of Trailseal prints a fresh link."
      >
        <div className="grid">
          <ButtonLink href="/sign-in" className="h-9">
            Sign in
          </ButtonLink>
        </div>
      </AuthCard>
    );
  }
  return (
    <AuthCard
      title="Create the first administrator"
      lead="The administrator of this instance reaches every organization."
    >
      <PlainHttpWarning guess={(await readArrival()).isExposed} />
      <AccountForm
        token={token}
        label="Create administrator"
        create={createFirstAdministratorAction}
      />
    </AuthCard>
  );
}
