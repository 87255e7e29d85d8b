import type { Metadata } from "next";
import { type Branding, brandName } from "@/lib/portal/branding";

/** Of pages of the portal: they end in the name of whoever runs this server. */
export function titleOf(branding: Branding): Metadata {
  const name = brandName(branding);
  return { title: { template: `%s · ${name}`, default: name } };
}
