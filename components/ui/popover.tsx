"use client";

import { Popover as Radix } from "radix-ui";
import type { ReactNode } from "react";

/** A small form that opens beside its button. */
export function Popover(props: {
  open: boolean;
  onOpenChange(open: boolean): void;
  label: string;
  trigger: ReactNode;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Trigger asChild>{props.trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="end"
          sideOffset={8}
          collisionPadding={12}
          aria-label={props.label}
          className="z-50 w-80 rounded-[8px] bg-(--raised) p-4 shadow-(--shadow-menu)"
        >
          {props.children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
