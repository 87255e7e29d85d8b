"use client";

import { usePreference, writePreference } from "@/components/shell/preferences";
import { useShortcuts } from "@/components/shell/shortcuts";
import { ResizeEdge } from "@/components/ui/resize-edge";
import { FacetSections, type Facets } from "./facet-sections";
import { useMedia } from "./use-media";

const WIDTH = "facets.width";
const HIDDEN = "facets.hidden";

/** What the events have in common, beside them: `[` shows and hides it, its edge resizes it. */
export function FacetRail(props: Facets) {
  const isWide = useMedia("(min-width: 1024px)");
  const isHidden = usePreference(HIDDEN) === "yes";
  const widthPx = Number(usePreference(WIDTH)) || 232;
  useShortcuts([
    {
      keys: "[",
      label: "Show or hide the facets",
      group: "Events",
      run: () => writePreference(HIDDEN, isHidden ? null : "yes"),
    },
  ]);
  if (!isWide || isHidden) return null;
  return (
    <aside
      aria-label="Facets"
      className="relative shrink-0 border-r border-(--border) bg-(--bg)"
      style={{ width: widthPx }}
    >
      <div className="h-full overflow-y-auto pb-3">
        <FacetSections {...props} />
      </div>
      <ResizeEdge
        label="Width of the facets"
        side="right"
        widthPx={widthPx}
        minPx={180}
        maxPx={420}
        onResize={(px) => writePreference(WIDTH, String(px))}
      />
    </aside>
  );
}
