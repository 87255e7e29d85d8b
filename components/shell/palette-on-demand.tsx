"use client";

import { type ComponentType, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import type { CommandsProps } from "./commands";
import { openPanel } from "./panel";

let Palette: ComponentType<CommandsProps & { typed: string }> | null = null;

/**
 * The palette, loaded when it is opened for the first time. Keys are meant for it from then on, and not for the page
 * below: what is typed before it has come is in it.
 */
export function PaletteOnDemand(props: CommandsProps) {
  const [typed, setTyped] = useState(Palette && "");
  useEffect(() => {
    if (typed !== null) return;
    let text = "";
    let isOpen = true;
    const hold = (event: KeyboardEvent) => {
      const { key, ctrlKey, altKey, metaKey } = event;
      // With both, or with Option, characters are written that the keyboard has no key for.
      if (metaKey || (ctrlKey && !altKey) || event.isComposing) return;
      if (key === "Escape") openPanel(null);
      else if (key === "Backspace") text = text.slice(0, -1);
      else if (key.length < 2) text += key;
      else if (key !== "Enter" && key !== "Tab") return;
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener("keydown", hold, true);
    import("./palette").then(
      (module) => {
        Palette = module.Palette;
        // At once: no key falls between what is held and the field.
        if (isOpen) flushSync(() => setTyped(text));
      },
      (error) =>
        setTyped(() => {
          throw error;
        }),
    );
    return () => {
      isOpen = false;
      removeEventListener("keydown", hold, true);
    };
  }, [typed]);
  return Palette && typed !== null && <Palette {...props} typed={typed} />;
}
