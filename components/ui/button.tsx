import type { ComponentProps } from "react";
import { classNames } from "./class-names";

type Variant = "primary" | "secondary" | "quiet" | "danger";

export interface Look {
  variant?: Variant;
  /** Square, for one icon; needs an aria-label. */
  icon?: boolean;
}

export function buttonClasses(
  { variant = "secondary", icon = false }: Look,
  extra?: string,
): string {
  return classNames("button", `button-${variant}`, icon && "button-icon", extra);
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
