"use client";

import { ListFilter } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button } from "@/components/ui/button";
import { Sheet } from "@/components/ui/dialog";
import { useMedia } from "./use-media";

/** On a small screen the filters wait behind a button and come up as a sheet, with a live count. */
export function MobileFilters(props: {
  count: number;
  /** `12 events`; null while nothing was searched. */
  result: string | null;
  onClear(): void;
  children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const [isTyping, setTyping] = useState(false);
  const isSmall = useMedia("(max-width: 639px)");
  const open = (typing: boolean) => {
    setTyping(typing);
    setOpen(true);
  };
  // The bar that has this key on a wide screen is not to be seen here.
  const slash = { keys: "/", label: "Filter", group: "Events", run: () => open(true) };
  useShortcuts(isSmall ? [slash] : []);
  return (
    <>
      <Button onClick={() => open(false)} className="flex-1">
        <ListFilter size={14} aria-hidden="true" className="text-(--text-3)" />
        Filters
        {props.count > 0 && (
          <span className="min-w-4.5 rounded-full bg-(--ink) px-1 text-[11px] leading-4.5 text-(--text-on-ink)">
            {props.count}
          </span>
        )}
      </Button>
      <Sheet open={isOpen} onOpenChange={setOpen} title="Filters" side="bottom" typing={isTyping}>
        <div className="flex items-center py-1 pr-1.5 pl-4">
          <p aria-hidden="true" className="text-[14px] font-semibold tracking-[-0.012em]">
            Filters
          </p>
          <Button variant="quiet" onClick={props.onClear} className="ml-auto">
            Clear all
          </Button>
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4 overflow-auto px-4 pb-4">
          {props.children}
        </div>
        <div className="border-t border-(--border) px-4 pt-2.5 pb-3.5">
          <Button variant="primary" onClick={() => setOpen(false)} className="w-full">
            {props.result ? `Show ${props.result}` : "Close"}
          </Button>
        </div>
      </Sheet>
    </>
  );
}
