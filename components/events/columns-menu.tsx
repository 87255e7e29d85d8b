"use client";

import { Columns3 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Popover } from "@/components/ui/popover";
import type { ColumnChoicesProps } from "./column-choices";

const ColumnChoices = dynamic(
  () => import("./column-choices").then((module) => module.ColumnChoices),
  { loading: () => null },
);

/** Which columns, in which order, how tall the rows: everything that dragging heads does, and more. */
export function ColumnsMenu(props: ColumnChoicesProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover
      open={isOpen}
      onOpenChange={setOpen}
      label="Columns and density"
      trigger={
        <Button variant="quiet" className="h-6 px-2 text-[12px] max-sm:hidden">
          <Columns3 size={14} aria-hidden="true" /> Columns
        </Button>
      }
    >
      <ColumnChoices {...props} />
    </Popover>
  );
}
