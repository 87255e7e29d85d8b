import type { Metadata } from "next";
import { Logo } from "@/components/shell/logo";
import { ButtonLink } from "@/components/ui/button-link";

export const metadata: Metadata = { title: "Link ended" };

export default function PortalEndedPage() {
  return (
    <main className="grid min-h-dvh place-content-center justify-items-center gap-3 p-4 text-center">
      <Logo className="h-8 w-9" />
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        This link does not open any more
      </h1>
      <p className="max-w-[52ch] text-(--text-2)">
        A link works once, within five minutes, and what it opens stays open for eight hours. Ask
        for a new one where you got it.
      </p>
      <ButtonLink href="/sign-in">Sign in with an account</ButtonLink>
    </main>
  );
}
