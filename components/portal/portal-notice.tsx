import type { ReactNode } from "react";
import type { Branding } from "@/lib/portal/branding";
import { brandStyle } from "./brand-style";

/** A page of the portal that says one thing. */
export function PortalNotice(props: { branding: Branding; children: ReactNode }) {
  return (
    <main
      style={brandStyle(props.branding)}
      className="grid min-h-dvh place-content-center justify-items-center gap-3 p-4 text-center"
    >
      {props.children}
    </main>
  );
}
