import type { CSSProperties } from "react";
import type { Branding } from "@/lib/portal/branding";
import { onSurface, underPointer } from "@/lib/portal/colour";

/** Of --bg and --surface in app/tokens.css the one that hides more, in each theme. */
const LIGHT = "#f7f7f4";
const DARK = "#121616";

/** The tokens of primary buttons in somebody's colour, in both themes. */
export function brandStyle({ colour }: Branding): CSSProperties | undefined {
  if (!colour) return undefined;
  const light = onSurface(colour, LIGHT);
  const dark = onSurface(colour, DARK);
  const both = (inLight: string, inDark: string) => `light-dark(${inLight}, ${inDark})`;
  return {
    "--ink": both(light.fill, dark.fill),
    "--ink-hover": both(underPointer(light), underPointer(dark)),
    "--text-on-ink": both(light.text, dark.text),
  } as CSSProperties;
}
