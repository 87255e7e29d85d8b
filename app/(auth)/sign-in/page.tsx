import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { AuthCard } from "@/components/auth/auth-card";
import { SignInForm } from "@/components/auth/sign-in-form";
import { currentUser } from "@/lib/auth/server/require-scope";

export const metadata: Metadata = { title: "Sign in" };

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** Plain http works everywhere, but not unnoticed. */
async function plainHttpWarning(): Promise<string | null> {
  const received = await headers();
  const isPlain = received.get("x-forwarded-proto") !== "https";
  if (!isPlain || LOCAL.test(received.get("host") ?? "")) return null;
  return "This connection is not encrypted: others on the network can read your password. Put TLS in front and set TRAILSEAL_URL.";
}

export default async function SignInPage() {
  if (await currentUser()) redirect("/");
  return (
    <AuthCard title="Sign in" lead="to the audit log" warning={await plainHttpWarning()}>
      <SignInForm />
    </AuthCard>
  );
}
