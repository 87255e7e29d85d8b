import type { ReactNode } from "react";
import { ThemeMenu } from "@/components/shell/theme-menu";

const SCALLOP =
  "M20.1 12.0L19.9 12.7L19.4 13.3L18.9 13.8L18.7 14.4L18.7 15.1L18.8 15.9L18.7 16.7L18.1 17.2L17.4 17.4L16.6 17.5L16.0 17.8L15.7 18.3L15.3 19.1L14.8 19.6L14.1 19.8L13.3 19.6L12.6 19.2L12.0 19.1L11.4 19.2L10.7 19.6L9.9 19.8L9.2 19.6L8.7 19.1L8.3 18.3L8.0 17.8L7.4 17.5L6.6 17.4L5.9 17.2L5.3 16.7L5.2 15.9L5.3 15.1L5.3 14.4L5.1 13.8L4.6 13.3L4.1 12.7L3.8 12.0L4.1 11.3L4.6 10.7L5.1 10.2L5.3 9.6L5.3 8.9L5.2 8.1L5.3 7.3L5.9 6.8L6.6 6.6L7.4 6.5L8.0 6.2L8.3 5.7L8.7 4.9L9.2 4.4L9.9 4.2L10.7 4.4L11.4 4.8L12.0 5.0L12.6 4.8L13.3 4.4L14.1 4.2L14.8 4.4L15.3 4.9L15.7 5.7L16.0 6.2L16.6 6.5L17.4 6.6L18.1 6.8L18.7 7.3L18.8 8.1L18.7 8.9L18.7 9.6L18.9 10.2L19.4 10.7L19.9 11.3Z";

/** The trail, ending in its seal. */
function SealOnTrail() {
  return (
    <div className="relative mb-3.5 grid place-items-center before:absolute before:bottom-9 before:left-[calc(50%-0.75px)] before:h-[100vh] before:border-l-[1.5px] before:border-(--in-verified-line)">
      <svg viewBox="0 0 24 24" aria-hidden="true" className="relative size-10">
        <path d={SCALLOP} fill="var(--accent)" />
        <path
          d="M7.5 13l2.9 2.6L15.9 9"
          fill="none"
          stroke="var(--bg)"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
    </div>
  );
}

/** The one thing on the page before somebody is signed in. */
export function AuthCard(props: { title: string; lead?: ReactNode; children?: ReactNode }) {
  return (
    <main className="grid min-h-dvh grid-rows-[1fr_auto_1fr] justify-items-center overflow-hidden px-4">
      <div className="row-start-2 w-80 max-w-full py-10">
        <SealOnTrail />
        <div className="text-center">
          <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">{props.title}</h1>
          {props.lead && <p className="text-(--text-2)">{props.lead}</p>}
        </div>
        {props.children && <div className="mt-6">{props.children}</div>}
      </div>
      <footer className="row-start-3 self-end pb-4">
        <ThemeMenu />
      </footer>
    </main>
  );
}
