"use client";

import { MenuLabel, MenuRadio } from "@/components/ui/menu";
import { THEMES, useTheme } from "./use-theme";

/** Theme choice inside a menu. */
export function ThemeChoice() {
  const [theme, choose] = useTheme();
  return (
    <>
      <MenuLabel>Theme</MenuLabel>
      <MenuRadio value={theme} onChange={choose} options={THEMES} />
    </>
  );
}
