import Link from "next/link";
import type { ComponentProps } from "react";
import { buttonClasses, type Look } from "./button";

export function ButtonLink({
  variant,
  icon,
  className,
  ...props
}: ComponentProps<typeof Link> & Look) {
  return <Link className={buttonClasses({ variant, icon }, className)} {...props} />;
}
