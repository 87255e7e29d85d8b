"use client";

import { useShortcuts } from "@/components/shell/shortcuts";
import { Button } from "@/components/ui/button";
import { setZone, useZone, zoneTitle } from "./zone";

/** Switches every time on the page between the viewer's zone and UTC; `u` does the same. */
export function ZoneToggle() {
  const zone = useZone();
  const other = zone === "utc" ? "viewer" : "utc";

  useShortcuts([
    { keys: "u", label: "Your zone or UTC", group: "Everywhere", run: () => setZone(other) },
  ]);

  return (
    <Button
      variant="quiet"
      onClick={() => setZone(other)}
      title={other === "utc" ? "Show UTC (u)" : "Show your own zone (u)"}
      className="max-sm:px-2"
    >
      <span suppressHydrationWarning>{zoneTitle(zone)}</span>
    </Button>
  );
}
