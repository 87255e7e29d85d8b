"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./button";

const SHOWN_MS = 1_500;

/** Copies text; says so for a moment. */
export function CopyButton(props: {
  text: string;
  label: string;
  children?: string;
  className?: string;
}) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");

  // Falls back to idle by itself.
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(props.text);
      setState("copied");
    } catch {
      // Without https the browser offers no clipboard: select and copy by hand.
      setState("failed");
    }
  };
  const label =
    state === "copied"
      ? "Copied"
      : state === "failed"
        ? "Copying is not possible here"
        : props.label;
  return (
    <Button
      variant={props.children ? "secondary" : "quiet"}
      icon={!props.children}
      onClick={copy}
      aria-label={label}
      title={label}
      className={props.className}
    >
      {state === "copied" ? (
        <Check size={14} aria-hidden="true" />
      ) : (
        <Copy size={14} aria-hidden="true" />
      )}
      {props.children && (state === "copied" ? "Copied" : props.children)}
    </Button>
  );
}
