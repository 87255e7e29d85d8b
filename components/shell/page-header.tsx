import type { ReactNode } from "react";
import { PaletteButton } from "./palette-button";

/** The bar at the top of every page inside an organization. */
export function PageHeader(props: {
  title: string;
  /** Stands right after the title. */
  beside?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <div className="flex h-11 shrink-0 items-center gap-2 border-b border-(--border) pr-3 pl-4 max-md:h-13">
      <h1 className="min-w-0 truncate text-[14px] font-semibold tracking-[-0.012em]">
        {props.title}
      </h1>
      {props.beside}
      <div className="ml-auto flex items-center gap-2">
        <PaletteButton />
        {props.children}
      </div>
    </div>
  );
}
