"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button } from "@/components/ui/button";
import { Popover } from "@/components/ui/popover";
import { toggleUtc, useZone, zoneTitle } from "./zone";

const ZonePicker = dynamic(() => import("./zone-picker").then((module) => module.ZonePicker), {
  loading: () => null,
});

/** Whose clock every time on the page is shown by; `u` switches between UTC and the other one. */
export function ZoneToggle() {
  const zone = useZone();
  const [isOpen, setOpen] = useState(false);
  useShortcuts([{ keys: "u", label: "Your zone or UTC", group: "Everywhere", run: toggleUtc }]);
  return (
    <Popover
      open={isOpen}
      onOpenChange={setOpen}
      label="Time zone"
      trigger={
        <Button variant="quiet" title="Time zone (u: UTC)" className="max-w-40 max-sm:px-2">
          <span className="truncate" suppressHydrationWarning>
            {zoneTitle(zone)}
          </span>
        </Button>
      }
    >
      <ZonePicker onClose={() => setOpen(false)} />
    </Popover>
  );
}
