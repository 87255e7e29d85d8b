import type { ReactNode } from "react";
import { PaletteButton } from "./palette-button";

/** The bar at the top of every page inside an organization. */
export function PageHeader(props: {
  title: string;
  /** The page has a heading of its own, which says more. */
  isLabel?: boolean;
  /** Stands right after the title. */
  beside?: ReactNode;
  children?: ReactNode;
}) {
  const Title = props.isLabel ? "p" : "h1";
  return (
    <div className="flex h-11 shrink-0 items-center gap-2 border-b border-(--border) pr-3 pl-4 max-md:h-13">
      <Title className="min-w-0 truncate text-[14px] font-semibold tracking-[-0.012em]">
        {props.title}
      </Title>
      {props.beside}
      <div className="ml-auto flex items-center gap-2">
        <PaletteButton />
        {props.children}
      </div>
    </div>
  );
}
