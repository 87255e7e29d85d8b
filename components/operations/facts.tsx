import type { ReactNode } from "react";
import { FactList } from "@/components/ui/fact-list";

/** A part of the page: its name, and terms with what holds for them. */
export function Facts(props: { title: string; note?: string; facts: Record<string, ReactNode> }) {
  return (
    <section aria-label={props.title} className="min-w-0">
      <h2 className="mb-2 text-[14px] font-semibold tracking-[-0.012em]">
        {props.title}{" "}
        {props.note && (
          <span className="text-[12px] font-normal text-(--text-2)">{props.note}</span>
        )}
      </h2>
      <FactList facts={props.facts} />
    </section>
  );
}
