"use client";

import { Search } from "lucide-react";
import { Button } from "@/components/ui/button";
import { openPanel, useModKey } from "./panel";

/** The command palette for whoever does not know its key. */
export function PaletteButton(props: { isSmall?: boolean }) {
  const mod = useModKey();
  const open = () => openPanel("palette");
  if (props.isSmall)
    return (
      <Button
        variant="quiet"
        icon
        aria-label="Search or jump to"
        onClick={open}
        className="h-11 w-11"
      >
        <Search size={18} aria-hidden="true" />
      </Button>
    );
  return (
    <Button
      onClick={open}
      aria-label="Search or jump to"
      className="w-60 justify-start font-normal text-(--text-3) max-lg:w-auto max-md:hidden in-data-portal:hidden"
    >
      <Search size={14} aria-hidden="true" />
      <span className="max-lg:hidden">Search or jump to</span>
      <kbd className="ml-auto rounded-[3px] border border-(--border) px-1 font-sans text-[11px] leading-4">
        {mod}K
      </kbd>
    </Button>
  );
}
