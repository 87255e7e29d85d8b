"use client";

import { useEffect } from "react";
import { openPanel } from "./panel";

/** While the palette is on its way for the first time, keys are meant for it already, and not for the page. */

let text = "";

/** What the palette begins with. */
export const typedEarly = (): string => text;

export function forgetTyped(): void {
  text = "";
}

export function TypedEarly() {
  useEffect(() => {
    forgetTyped();
    const hold = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") openPanel(null);
      else if (event.key === "Backspace") text = text.slice(0, -1);
      else if (event.key.length === 1) text += event.key;
    };
    window.addEventListener("keydown", hold, { capture: true });
    return () => window.removeEventListener("keydown", hold, { capture: true });
  }, []);
  return null;
}
