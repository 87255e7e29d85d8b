"use client";

import { DropdownMenu } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { classNames } from "./class-names";

export function Menu(props: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  label?: string;
  /** Controlled where nobody presses the trigger. */
  open?: boolean;
  onOpenChange?(isOpen: boolean): void;
  /** Where the focus goes, if not back to the trigger. */
  onCloseAutoFocus?(event: Event): void;
}) {
  return (
    <DropdownMenu.Root modal={false} open={props.open} onOpenChange={props.onOpenChange}>
      <DropdownMenu.Trigger asChild>{props.trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={props.align ?? "start"}
          sideOffset={4}
          aria-label={props.label}
          onCloseAutoFocus={props.onCloseAutoFocus}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 overflow-auto rounded-[8px] bg-(--raised) p-1 shadow-(--shadow-menu)"
        >
          {props.children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function MenuItem({ className, ...props }: ComponentProps<typeof DropdownMenu.Item>) {
  return <DropdownMenu.Item className={classNames("menu-item", className)} {...props} />;
}

export function MenuRadio(props: {
  value: string;
  onChange(value: string): void;
  options: { value: string; label: string }[];
}) {
  return (
    <DropdownMenu.RadioGroup value={props.value} onValueChange={props.onChange}>
      {props.options.map((option) => (
        <DropdownMenu.RadioItem
          key={option.value}
          value={option.value}
          className={"menu-item pl-7"}
        >
          <DropdownMenu.ItemIndicator className="absolute left-3 text-(--accent)">
            ✓
          </DropdownMenu.ItemIndicator>
          {option.label}
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="my-1 h-px bg-(--border)" />;
}

export function MenuGroup(props: { label: string; children: ReactNode }) {
  return (
    <DropdownMenu.Group aria-label={props.label}>
      <MenuLabel>{props.label}</MenuLabel>
      {props.children}
    </DropdownMenu.Group>
  );
}

export function MenuLabel(props: { children: ReactNode }) {
  return (
    <DropdownMenu.Label className="px-2 py-1.5 text-[12px] text-(--text-3)">
      {props.children}
    </DropdownMenu.Label>
  );
}
