import type { ComponentProps } from "react";
import { classes } from "./classes";

const BASE =
  "inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-[5px] border px-2.5 font-medium whitespace-nowrap transition-colors duration-(--t-fast) disabled:cursor-not-allowed disabled:opacity-55 max-sm:h-11 max-sm:px-3.5";

const VARIANTS = {
  primary:
    "border-(--ink) bg-(--ink) text-(--text-on-ink) enabled:hover:bg-(--ink-hover) hover:bg-(--ink-hover)",
  secondary:
    "border-(--border-strong) bg-(--surface) text-(--text) hover:border-(--border-control) hover:bg-(--hover) aria-pressed:border-(--accent-line) aria-pressed:bg-(--selected) aria-pressed:text-(--accent)",
  quiet:
    "border-transparent bg-transparent font-normal text-(--text-2) hover:bg-(--hover) hover:text-(--text)",
  danger:
    "border-(--border-strong) bg-(--surface) text-(--in-failed) hover:border-(--in-failed-line) hover:bg-(--in-failed-tint)",
} as const;

const ICON = "w-7 px-0 max-sm:w-11 max-sm:px-0";

export interface Look {
  variant?: keyof typeof VARIANTS;
  /** Square, for one icon; needs an aria-label. */
  icon?: boolean;
}

export function buttonClasses(
  { variant = "secondary", icon = false }: Look,
  extra?: string,
): string {
  return classes(BASE, VARIANTS[variant], icon && ICON, extra);
}

export function Button({
  variant,
  icon,
  className,
  type = "button",
  ...props
}: ComponentProps<"button"> & Look) {
  return <button type={type} className={buttonClasses({ variant, icon }, className)} {...props} />;
}
