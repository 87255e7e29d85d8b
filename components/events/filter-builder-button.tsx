"use client";

import { ListFilterPlus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Popover } from "@/components/ui/popover";
import type { FilterBuilderProps } from "./filter-builder";

/** Loaded when somebody opens it. */
export const FilterBuilder = dynamic(
  () => import("./filter-builder").then((module) => module.FilterBuilder),
  { loading: () => null },
);

/** The same behind a button in the filter bar. */
export function FilterBuilderButton(props: FilterBuilderProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover
      open={isOpen}
      onOpenChange={setOpen}
      label="Add a filter"
      trigger={
        <Button
          variant="quiet"
          icon
          aria-label="Add a filter"
          title="Add a filter"
          className="h-5.5 w-6"
        >
          <ListFilterPlus size={14} aria-hidden="true" />
        </Button>
      }
    >
      <FilterBuilder
        {...props}
        onChange={(q) => {
          setOpen(false);
          props.onChange(q);
        }}
      />
    </Popover>
  );
}
