import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { NameForm } from "@/components/account/name-form";
import { PasswordForm } from "@/components/account/password-form";
import { SecondFactorPanel } from "@/components/account/second-factor-panel";
import { SessionList } from "@/components/account/session-list";
import { Logo } from "@/components/shell/logo";
import { hasPassword } from "@/lib/auth/server/account";
import { pageUser } from "@/lib/auth/server/require-scope";
import { readSecondFactor } from "@/lib/auth/server/second-factor";
import { listSessions } from "@/lib/auth/server/sessions";
import { signOutAction } from "../actions";
import {
  changeNameAction,
  changePasswordAction,
  confirmSecondFactorAction,
  disableSecondFactorAction,
  endOtherSessionsAction,
  endSessionAction,
  renewRecoveryCodesAction,
  startSecondFactorAction,
} from "./actions";

export const metadata: Metadata = { title: "Your account" };

const LINK =
  "inline-flex items-center text-(--text-2) underline decoration-(--border-control) underline-offset-3 max-sm:h-11";

function Section(props: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section className="grid gap-3 border-t border-(--border) pt-6">
      <div>
        <h2 className="text-[14px] font-semibold tracking-[-0.012em]">{props.title}</h2>
        {props.lead && <p className="mt-1 text-(--text-2)">{props.lead}</p>}
      </div>
      {props.children}
    </section>
  );
}

export default async function AccountPage() {
  const user = await pageUser("page:/account");
  const [withPassword, secondFactor, sessions] = await Promise.all([
    hasPassword(user),
    readSecondFactor(user.id),
    listSessions(user),
  ]);
  return (
    <main className="mx-auto grid w-full max-w-[640px] gap-6 px-4 py-12">
      <header className="flex items-center gap-2">
        <Logo />
        <span className="font-medium">Trailseal</span>
        <Link href="/o" className={`ml-auto ${LINK}`}>
          Organizations
        </Link>
        <form action={signOutAction} className="ml-3">
          <button type="submit" className={LINK}>
            Sign out
          </button>
        </form>
      </header>
      <div>
        <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">Your account</h1>
        <p className="mt-1 text-(--text-2)">
          Signed in as {user.email}. What changes here is told in the logs of your organizations.
        </p>
      </div>
      <Section title="Name">
        <NameForm name={user.name} change={changeNameAction} />
      </Section>
      {withPassword && (
        <>
          <Section title="Password" lead="A new one ends all your other sessions.">
            <PasswordForm email={user.email} change={changePasswordAction} />
          </Section>
          <Section title="Second factor">
            <SecondFactorPanel
              secondFactor={secondFactor}
              actions={{
                start: startSecondFactorAction,
                confirm: confirmSecondFactorAction,
                renew: renewRecoveryCodesAction,
                disable: disableSecondFactorAction,
              }}
            />
          </Section>
        </>
      )}
      <Section title="Sessions" lead="Where you are signed in. End what you do not know.">
        <SessionList
          sessions={sessions}
          end={endSessionAction}
          endOthers={endOtherSessionsAction}
        />
      </Section>
    </main>
  );
}
