import type { Metadata } from "next";
import Link from "next/link";
import { CreateOrganization } from "@/components/orgs/create-organization";
import { Logo } from "@/components/shell/logo";
import { pageUser } from "@/lib/auth/server/require-scope";
import { listOrganizationsOf } from "@/lib/orgs/server/organizations";
import { createOrganizationAction, signOutAction } from "../actions";

export const metadata: Metadata = { title: "Organizations" };

const LINK =
  "inline-flex items-center text-(--text-2) underline decoration-(--border-control) underline-offset-3 max-sm:h-11";

export default async function OrganizationsPage() {
  const user = await pageUser("page:/o");
  const organizations = await listOrganizationsOf(user);
  return (
    <main className="mx-auto grid w-full max-w-[640px] gap-6 px-4 py-12">
      <header className="flex items-center gap-2">
        <Logo />
        <span className="font-medium">Trailseal</span>
        <nav aria-label="Beyond organizations" className="ml-auto flex gap-3">
          {user.instanceAdmin && (
            <Link href="/instance" className={LINK}>
              Instance
            </Link>
          )}
          <Link href="/account" className={LINK}>
            Your account
          </Link>
        </nav>
        <form action={signOutAction} className="ml-3">
          <button
            type="submit"
            className="text-(--text-2) underline decoration-(--border-control) underline-offset-3 max-sm:h-11"
          >
            Sign out
          </button>
        </form>
      </header>
      <div>
        <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
          {organizations.length === 0 ? "Create the first organization" : "Organizations"}
        </h1>
        <p className="mt-1 text-(--text-2)">
          {organizations.length === 0 && user.instanceAdmin
            ? "An organization is one customer, with a log, keys and streams of its own."
            : organizations.length === 0
              ? "You are not a member of an organization yet. Ask an administrator of this instance."
              : `Signed in as ${user.email}.`}
        </p>
      </div>
      {organizations.length > 0 && (
        <ul className="border-t border-(--border)">
          {organizations.map((organization) => (
            <li key={organization.id} className="border-b border-(--border)">
              <Link
                href={organization.home}
                className="flex min-h-11 flex-wrap items-center gap-x-3 px-2 py-2 hover:bg-(--hover)"
              >
                <span className="min-w-0 flex-1 truncate font-medium">{organization.name}</span>
                <span className="font-mono text-[12px] break-all text-(--text-3)">
                  {organization.id}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      {user.instanceAdmin && (
        <section className="grid gap-3">
          {organizations.length > 0 && (
            <h2 className="text-[14px] font-semibold">New organization</h2>
          )}
          <CreateOrganization
            create={createOrganizationAction}
            isFirst={organizations.length === 0}
          />
        </section>
      )}
    </main>
  );
}
