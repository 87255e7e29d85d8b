import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuthCard } from "@/components/auth/auth-card";
import { ConnectedHost, PlainHttpWarning } from "@/components/auth/connection";
import { SignInForm } from "@/components/auth/sign-in-form";
import { currentUser } from "@/lib/auth/server/require-scope";
import { hasUsers } from "@/lib/auth/server/setup";
import { readArrival } from "@/lib/http/arrival";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage() {
  if (await currentUser()) redirect("/");
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
      <SignInForm />
    </AuthCard>
  );
}
