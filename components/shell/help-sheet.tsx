"use client";

import { Fragment } from "react";
import { Dialog } from "@/components/ui/dialog";
import { openPanel, useModKey } from "./panel";
import { type Shortcut, useRegisteredShortcuts, useSingleKeys } from "./shortcuts";

type Described = Pick<Shortcut, "keys" | "label" | "group">;

/** Keys that a grid takes itself while it has the focus. */
const GRID: Described[] = [
  { keys: "ArrowUp", label: "Row above", group: "In the table" },
  { keys: "ArrowDown", label: "Row below", group: "In the table" },
  { keys: "ArrowLeft", label: "Cell before", group: "In the table" },
  { keys: "ArrowRight", label: "Cell after", group: "In the table" },
];

const NAMES: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};

/** Everything that the keyboard does on this page. */
export function HelpSheet() {
  const registered = useRegisteredShortcuts();
  const [areSingleKeysOn, setSingleKeys] = useSingleKeys();
  const hasGrid = document.querySelector('[role="grid"]') !== null;
  const known = new Map<string, Described>(
    [...registered, ...(hasGrid ? GRID : [])].map((shortcut) => [shortcut.keys, shortcut]),
  );
  const groups = [...new Set([...known.values()].map(({ group }) => group))];
  return (
    <Dialog open onOpenChange={() => openPanel(null)} title="Keyboard shortcuts">
      <label className="flex items-start gap-2 max-sm:min-h-11">
        <input
          type="checkbox"
          role="switch"
          aria-checked={areSingleKeysOn}
          checked={areSingleKeysOn}
          onChange={(event) => setSingleKeys(event.target.checked)}
          className="mt-0.5 size-4 accent-(--ink)"
        />
        <span>
          Single-key shortcuts
          <span className="block text-[12px] text-(--text-3)">
            Off: only keys with {useModKey().trim()} and keys of what has the focus work.
          </span>
        </span>
      </label>
      {groups.map((group) => (
        <section key={group} aria-label={group}>
          <h3 className="border-b border-(--border) pb-1 text-[12px] text-(--text-3)">{group}</h3>
          <dl className="grid grid-cols-[1fr_auto] gap-x-4">
            {[...known.values()]
              .filter((shortcut) => shortcut.group === group)
              .map(({ keys, label }) => (
                <Fragment key={keys}>
                  <dt className="py-1">{label}</dt>
                  <dd className="py-1 text-right">
                    <Keys keys={keys} />
                  </dd>
                </Fragment>
              ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

/** `g e` as two caps, `mod+k` as one. */
export function Keys({ keys }: { keys: string }) {
  const mod = useModKey();
  return keys.split(" ").map((key, index) => (
    <kbd
      // biome-ignore lint/suspicious/noArrayIndexKey: keys of one sequence never move.
      key={index}
      className="ml-1 inline-block min-w-5 rounded-[3px] border border-(--border-strong) px-1 text-center font-sans text-[11px] leading-4 text-(--text-2)"
    >
      {key.startsWith("mod+") ? `${mod}${key.slice(4).toUpperCase()}` : (NAMES[key] ?? key)}
    </kbd>
  ));
}
