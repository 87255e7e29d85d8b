import type { Metadata } from "next";
import type { ReactNode } from "react";
import { titleOf } from "@/components/portal/title";
import { readBranding } from "@/lib/portal/server/branding";

export const generateMetadata = async (): Promise<Metadata> => titleOf(await readBranding());

export default function PortalLayout({ children }: { children: ReactNode }) {
  return children;
}
