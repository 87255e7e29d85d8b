"use client";

import { useState } from "react";
import { Input } from "@/components/ui/field";
import { isTimeZone } from "@/lib/events/zoned-time";
import { setZone, useZone, type Zone, zoneOffset, zoneTitle } from "./zone";

const MAX_SHOWN = 40;

/** The viewer's zone, UTC, or any that the platform knows, found by name. */
export function ZonePicker(props: { onClose(): void }) {
  const zone = useZone();
  const [text, setText] = useState("");
  const now = new Date().toISOString();
  const words = text.trim().toLowerCase().replaceAll(" ", "_");
  const own: { zone: Zone; label: string }[] = [
    { zone: "viewer", label: `${zoneTitle("viewer")} (this browser)` },
    { zone: "utc", label: "UTC" },
  ];
  const named = words === "" ? [] : Intl.supportedValuesOf("timeZone");
  const found = [...own, ...named.map((name) => ({ zone: name, label: name }))].filter(
    ({ label }) => label.toLowerCase().replaceAll(" ", "_").includes(words),
  );
  // The platform lists each zone under one of its names, and knows it by the others.
  if (found.length === 0 && isTimeZone(text.trim()))
    found.push({ zone: text.trim(), label: text.trim() });
  const choose = (chosen: Zone) => {
    setZone(chosen);
    props.onClose();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (words !== "" && found[0]) choose(found[0].zone);
      }}
      className="grid gap-2"
    >
      <Input
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        aria-label="Search time zones"
        placeholder="Oslo, America/, …"
        autoComplete="off"
        className="max-sm:text-[16px]"
      />
      <ul className="grid max-h-64 overflow-auto">
        {found.slice(0, MAX_SHOWN).map((option) => (
          <li key={option.zone}>
            <button
              type="button"
              aria-pressed={option.zone === zone}
              onClick={() => choose(option.zone)}
              className="flex h-7 w-full items-center gap-2 rounded-[5px] px-2 text-left text-[12px] hover:bg-(--hover) focus-visible:shadow-(--focus-inset) aria-pressed:font-semibold max-sm:h-11"
            >
              <span className="min-w-0 flex-1 truncate">{option.label}</span>
              <span className="text-(--text-3) tabular-nums">{zoneOffset(option.zone, now)}</span>
            </button>
          </li>
        ))}
      </ul>
      <p role="status" className="text-[12px] text-(--text-3)">
        {found.length === 0
          ? "No zone has this name."
          : found.length > MAX_SHOWN
            ? `${MAX_SHOWN} of ${found.length}: type more.`
            : zone !== "viewer" && zone !== "utc"
              ? `Shown now: ${zone}`
              : words === "" && "Type to find any other zone."}
      </p>
    </form>
  );
}
