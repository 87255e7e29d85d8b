import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { AuthCard } from "@/components/auth/auth-card";
import { SignInForm } from "@/components/auth/sign-in-form";
import { currentUser } from "@/lib/auth/server/require-scope";
import { publicUrl } from "@/lib/env";

export const metadata: Metadata = { title: "Sign in" };

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** Where people think they are, and whether others can listen on the way. */
async function arrival(): Promise<{ host: string; warning: string | null }> {
  const received = await headers();
  const host = received.get("x-forwarded-host") ?? received.get("host") ?? "";
  const isEncrypted =
    received.get("x-forwarded-proto") === "https" || publicUrl().startsWith("https:");
  if (isEncrypted || LOCAL.test(host)) return { host, warning: null };
  const warning =
    "This connection is not encrypted: others on the network can read your password. Put TLS in front and set TRAILSEAL_URL.";
  return { host, warning };
}

export default async function SignInPage() {
  if (await currentUser()) redirect("/");
  const { host, warning } = await arrival();
  return (
    <AuthCard title="Sign in to Trailseal" lead={host} warning={warning}>
      <SignInForm />
    </AuthCard>
  );
}
