"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";
import { MAX_SELECTED } from "./use-selection";

interface Props {
  ids: string[];
  copy(ids: string[], format: "csv" | "json"): Promise<ActionResult<string>>;
  onClear(): void;
}

/** What can be done with the chosen rows. */
export function SelectionBar(props: Props) {
  const [state, setState] = useState<string | null>(null);
  const copy = async (format: "csv" | "json") => {
    setState("Copying…");
    try {
      const result = await props.copy(props.ids, format);
      if (!result.ok) return setState(`Could not copy. ${result.message}`);
      await navigator.clipboard.writeText(result.data);
      setState(`Copied ${props.ids.length} as ${format.toUpperCase()}`);
    } catch {
      setState("Copying is not possible here: the browser allows it on https and localhost only.");
    }
  };
  return (
    <span className="flex min-w-0 items-center gap-1">
      <span className="whitespace-nowrap">
        {props.ids.length} selected{props.ids.length >= MAX_SELECTED && ", as many as can be"}
      </span>
      <Button variant="quiet" className="h-6 px-2 text-[12px]" onClick={() => void copy("csv")}>
        Copy as CSV
      </Button>
      <Button variant="quiet" className="h-6 px-2 text-[12px]" onClick={() => void copy("json")}>
        Copy as JSON
      </Button>
      <Button variant="quiet" className="h-6 px-2 text-[12px]" onClick={props.onClear}>
        Clear
      </Button>
      {state && <span className="truncate text-(--text-3)">{state}</span>}
    </span>
  );
}
