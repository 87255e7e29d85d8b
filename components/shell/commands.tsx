"use client";

import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import type { Permission } from "@/lib/auth/permissions";
import type { ActionResult } from "@/lib/http/action-result";
import type { ViewList } from "@/lib/views/view";
import { PaletteOnDemand } from "./palette-on-demand";
import { openPanel, usePanel } from "./panel";
import { placeHref, placesFor } from "./places";
import { useShortcuts } from "./shortcuts";

const HelpSheet = dynamic(() => import("./help-sheet").then((module) => module.HelpSheet), {
  ssr: false,
});

export interface CommandsProps {
  organizationId: string;
  granted: readonly Permission[];
  /** Null for who has no views. */
  listViews: ((organizationId: string) => Promise<ActionResult<ViewList>>) | null;
}

/** Keys that work on every page of an organization, and what they open. */
export function Commands(props: CommandsProps) {
  const router = useRouter();
  const panel = usePanel();
  useShortcuts([
    {
      keys: "mod+k",
      label: "Search or jump to",
      group: "Everywhere",
      inDialog: true,
      run: () => openPanel(panel === "palette" ? null : "palette"),
    },
    {
      keys: "?",
      label: "Keyboard shortcuts",
      group: "Everywhere",
      run: () => openPanel("help"),
    },
    ...placesFor(props.granted).map((place) => ({
      keys: `g ${place.key}`,
      label: place.label,
      group: "Go to",
      run: () => router.push(placeHref(props.organizationId, place)),
    })),
  ]);
  if (panel === "palette") return <PaletteOnDemand {...props} />;
  return panel === "help" && <HelpSheet />;
}
