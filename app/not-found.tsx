import Link from "next/link";
import { Logo } from "@/components/shell/logo";

export default function NotFound() {
  return (
    <main className="grid min-h-dvh place-content-center justify-items-center gap-3 p-4 text-center">
      <Logo className="h-8 w-9" />
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        There is nothing here
      </h1>
      <p className="text-(--text-2)">
        The address is wrong, or you have no access to what it names.
      </p>
      <Link href="/" className="underline decoration-(--border-control) underline-offset-3">
        Go to your organizations
      </Link>
    </main>
  );
}
