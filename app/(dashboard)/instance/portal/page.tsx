import type { Metadata } from "next";
import { InstanceHeader } from "@/components/operations/instance-header";
import { BrandingForm } from "@/components/portal/branding-form";
import { pageInstanceScope } from "@/lib/auth/server/require-scope";
import { readBrandingSettings } from "@/lib/portal/server/branding";
import { saveBrandingAction } from "./actions";

export const metadata: Metadata = { title: "Portal" };

export default async function InstancePortalPage() {
  const scope = await pageInstanceScope("page:/instance/portal");
  const settings = await readBrandingSettings(scope);
  return (
    <main className="mx-auto grid w-full max-w-[1080px] grid-cols-[minmax(0,1fr)] gap-8 px-4 py-12">
      <InstanceHeader title="Portal" other={{ label: "Instance", href: "/instance" }} />
      <div>
        <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
          The portal in your name
        </h1>
        <p className="mt-1 max-w-[80ch] text-(--text-2)">
          What people see who come through a portal link, in every organization, and what its mails
          say.
        </p>
      </div>
      <BrandingForm {...settings} save={saveBrandingAction} />
    </main>
  );
}
