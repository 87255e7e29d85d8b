"use client";

import dynamic from "next/dynamic";
import { useEffect, useState } from "react";

const TimeCard = dynamic(() => import("./time-card").then((module) => module.TimeCard), {
  ssr: false,
});

const SHOW_MS = 400;
/** Long enough for the pointer to reach the card. */
const HIDE_MS = 150;

/**
 * Says more about any time on the page that is pointed at or in the cell that the keyboard is on. A `<time>` may name in
 * `data-received` when its event arrived.
 */
export function TimeCards() {
  const [time, setTime] = useState<HTMLTimeElement | null>(null);
  useEffect(() => {
    let timer = 0;
    const show = (next: HTMLTimeElement | null | undefined) => {
      clearTimeout(timer);
      timer = window.setTimeout(() => setTime(next ?? null), next ? SHOW_MS : HIDE_MS);
    };
    const onPoint = ({ target, pointerType }: PointerEvent) => {
      if (pointerType !== "mouse" || !(target instanceof Element)) return;
      if (target.closest("[data-time-card]")) clearTimeout(timer);
      else show(target.closest("time"));
    };
    // A grid keeps the focus and names the cell that its keys are on.
    const onKey = ({ target, key }: KeyboardEvent) => {
      const cell = target instanceof Element && target.getAttribute("aria-activedescendant");
      if (cell && key !== "Escape") show(document.getElementById(cell)?.querySelector("time"));
    };
    const hide = () => {
      clearTimeout(timer);
      setTime(null);
    };
    document.addEventListener("pointerover", onPoint);
    document.addEventListener("keyup", onKey);
    document.addEventListener("scroll", hide, true);
    // Whoever moved on has done with it: its Escape must not be the one meant for what has the focus now.
    document.addEventListener("focusin", hide);
    return () => {
      hide();
      document.removeEventListener("pointerover", onPoint);
      document.removeEventListener("keyup", onKey);
      document.removeEventListener("scroll", hide, true);
      document.removeEventListener("focusin", hide);
    };
  }, []);
  return time?.isConnected ? <TimeCard time={time} onClose={() => setTime(null)} /> : null;
}
