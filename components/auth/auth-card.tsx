import type { ReactNode } from "react";
import { Logo } from "@/components/shell/logo";

/** The one thing on the page before somebody is signed in. */
export function AuthCard(props: {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  warning?: string | null;
}) {
  return (
    <main className="grid min-h-dvh place-content-center bg-(--surface) p-4">
      <div className="grid w-[min(340px,calc(100vw-32px))] gap-5">
        <Logo className="h-8 w-9" />
        <div>
          <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">{props.title}</h1>
          {props.lead && <p className="mt-1 text-(--text-2)">{props.lead}</p>}
        </div>
        {props.warning && (
          <p className="rounded-[5px] bg-(--op-denied-tint) px-3 py-2 text-[12px] text-(--op-denied)">
            {props.warning}
          </p>
        )}
        {props.children}
      </div>
    </main>
  );
}
