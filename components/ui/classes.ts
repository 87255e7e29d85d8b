import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

/** Joins class names; a later utility replaces an earlier one of the same kind. */
export function classes(...values: ClassValue[]): string {
  return twMerge(clsx(values));
}
