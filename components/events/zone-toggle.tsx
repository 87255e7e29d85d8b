"use client";

import { useEffect } from "react";
import { Button } from "@/components/ui/button";
import { isTyping } from "./keys";
import { setZone, useZone, zoneTitle } from "./zone";

/** Switches every time on the page between the viewer's zone and UTC; `u` does the same. */
export function ZoneToggle() {
  const zone = useZone();
  const other = zone === "utc" ? "viewer" : "utc";

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "u" || isTyping(event)) return;
      event.preventDefault();
      setZone(other);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [other]);

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
