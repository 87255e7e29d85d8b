"use client";

import { type ComponentType, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import type { CommandsProps } from "./commands";
import { isApple, openPanel } from "./panel";

type Palette = ComponentType<CommandsProps & { typed: string }>;

let loaded: Palette | null = null;

/** What a key writes into a field; null for one that is the browser's or another's. */
function written(event: KeyboardEvent, text: string): string | null {
  const isComposed = event.getModifierState("AltGraph") || (event.altKey && isApple());
  const isCommand = event.metaKey || ((event.ctrlKey || event.altKey) && !isComposed);
  if (isCommand || event.isComposing) return null;
  if (event.key === "Backspace") return text.slice(0, -1);
  if (event.key === "Enter" || event.key === "Tab") return text;
  return event.key.length === 1 ? text + event.key : null;
}

/**
 * The palette, loaded when it is opened for the first time. Keys are meant for it from then on, and not for the page
 * below: what is typed before it has come is in it.
 */
export function PaletteOnDemand(props: CommandsProps) {
  const [ready, setReady] = useState(loaded && { Palette: loaded, typed: "" });
  const isReady = ready !== null;
  useEffect(() => {
    if (isReady) return;
    let text = "";
    const hold = (event: KeyboardEvent) => {
      const next = written(event, text);
      if (next === null && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      if (next === null) openPanel(null);
      else text = next;
    };
    window.addEventListener("keydown", hold, { capture: true });
    let isOpen = true;
    const come = () => {
      if (!isOpen || !loaded) return;
      const palette = { Palette: loaded, typed: text };
      // At once: no key falls between what is held and the field.
      flushSync(() => setReady(palette));
    };
    import("./palette").then(
      (module) => {
        loaded = module.Palette;
        come();
      },
      (error) =>
        setReady(() => {
          throw error;
        }),
    );
    return () => {
      isOpen = false;
      window.removeEventListener("keydown", hold, { capture: true });
    };
  }, [isReady]);
  return ready && <ready.Palette {...props} typed={ready.typed} />;
}
